"""The applier: the one task in each consumer that makes attempts count and reverts take effect, in turn with others."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer.applying import apply_everything

logger = logging.getLogger(__name__)

LOCK = 7042018
"""The advisory lock that makes the appliers of all consumers take turns."""

IDLE_SECONDS = 5.0


class Applier:
    """Applies what is ready: in the background while `running`, or at once by `apply_ready`.

    `currency` is the one that all files must be in; None for that of the first file that states one.
    """

    def __init__(self, engine: AsyncEngine, currency: str | None = None) -> None:
        self._engine = engine
        self._currency = currency
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be something to apply."""
        self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Apply whatever is or becomes ready, for as long as the context lasts."""
        applying = asyncio.create_task(self._run())
        try:
            yield
        finally:
            applying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await applying

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.apply_ready(wait=False)
            except Exception:
                logger.exception("Applying failed; trying again in %s s.", IDLE_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), IDLE_SECONDS)

    async def apply_ready(self, *, wait: bool) -> None:
        """Apply every complete attempt and every revert.

        While another process applies: with `wait` stand in line behind it, else leave it to that one, which
        looks again after it has released the lock.
        """
        while await self._apply_once(wait=wait):
            pass

    async def _apply_once(self, *, wait: bool) -> bool:
        """Apply in one transaction what is ready now; true when there was something."""
        async with self._engine.begin() as connection:
            if not await _lock(connection, wait=wait):
                return False
            return await apply_everything(connection, self._currency)


async def _lock(connection: AsyncConnection, *, wait: bool) -> bool:
    # A statement of its own: what is read in later ones was committed before the lock was got.
    if wait:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return True
    return bool(await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}))
