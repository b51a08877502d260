"""Notices a subscription that was lost without anybody being told: the queue fills, and nothing comes."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

from shared.confirmed import FAILURES, ConfirmedPublisher, speaking
from shared.topology import Topology

LOOK_SECONDS = 5.0
SILENCE_SECONDS = 30.0


class SubscriptionLostError(RuntimeError):
    """Messages wait and none comes here: the process had better be started again."""


class Watchdog:
    """Knows when a message came last, and how many wait (None: nobody knows)."""

    def __init__(self, publisher: ConfirmedPublisher, topology: Topology) -> None:
        self._publisher = publisher
        self._topology = topology
        self._busy = 0
        self._last_word = time.monotonic()
        self.waiting: int | None = None

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Say that a message is being handled."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            self._last_word = time.monotonic()

    def is_idle(self) -> bool:
        """Tell whether no batch waits, and none is being handled here."""
        return self.waiting == 0 and not self._busy

    async def is_connected(self) -> bool:
        """Tell whether the broker answers us."""
        await self._publisher.channel()
        return await self.is_fed()

    async def watch(self) -> None:
        """Look for ever; raises `SubscriptionLostError` when messages wait but none has come for a while."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not await self.is_fed():
                raise SubscriptionLostError("Batches wait in the queue, but none comes here any more.")

    async def is_fed(self) -> bool:
        """Tell whether messages come, or none wait; a broker that is away is another's business."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                channel = await self._publisher.channel()
                with speaking():
                    queue = await channel.declare_queue(self._topology.batches, passive=True)
        except FAILURES:
            self.waiting = None
            self._last_word = time.monotonic()
            return True
        self.waiting = queue.declaration_result.message_count or 0
        if self._busy or not self.waiting:
            self._last_word = time.monotonic()
        return time.monotonic() - self._last_word < SILENCE_SECONDS
