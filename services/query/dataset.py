"""Which state the data are in: the dataset's version, and how it is asked for on behalf of many requests at once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple
from uuid import UUID


class Version(NamedTuple):
    """A state of the data: each apply raises the number, and a restored database begins a new epoch."""

    epoch: UUID
    number: int

    def covers(self, other: "Version") -> bool:
        """Tell whether everything that `other` has is in this one."""
        return self.epoch == other.epoch and self.number >= other.number


class Clock:
    """Tells versions that were read after they were asked for, with one read for all who ask meanwhile."""

    def __init__(self, read: Callable[[], Coroutine[Any, Any, Version]]) -> None:
        self._read = read
        self._latest: asyncio.Task[Version] | None = None
        self._waiting: asyncio.Task[Version] | None = None

    async def now(self) -> Version:
        """Return the version as the database tells it after this call; raises what reading it raises.

        A read that is under way already does not count: it may have missed a commit that the caller knows of.
        """
        if self._waiting is None:
            self._waiting = self._latest = asyncio.create_task(self._read_after(self._latest))
        return await asyncio.shield(self._waiting)

    async def _read_after(self, previous: asyncio.Task[Version] | None) -> Version:
        if previous is not None and not previous.done():
            await asyncio.wait({previous})
        self._waiting = None
        return await self._read()
