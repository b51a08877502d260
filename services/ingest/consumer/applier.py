"""The applier: the one task in each consumer that makes attempts count and reverts take effect, in turn with others."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import ahead
from services.ingest.consumer.applying import apply_everything
from services.ingest.consumer.fast import InVainError
from services.ingest.consumer.lifeline import transaction
from shared.database import AHEAD_LOCK, APPLIERS_LOCK, DEADLOCK, is_transient, sqlstate

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0
"""How often to look whether there is anything to apply, unwoken."""

BESIDE_SECONDS = 0.2
"""How often to look while others apply, and there is more: now this one can neither apply nor write ahead."""

ANY = 2**63 - 1
"""No attempt is younger."""

LONG_WAIT = "10min"
"""How long anybody waits for its turn, while the server works on what is before it."""

_PATIENCE = "SELECT set_config('lock_timeout', :limit, true)"
_TRY = "SELECT pg_try_advisory_xact_lock(:lock)"
_WAIT = "SELECT pg_advisory_xact_lock(:lock)"

_READY = """
    SELECT EXISTS (
        SELECT FROM attempt a JOIN upload u ON u.id = a.upload_id
        WHERE a.state = 'complete' AND a.id <= :latest
          AND (u.fixes IS NULL OR EXISTS (SELECT FROM upload o WHERE o.id = u.fixes AND o.place IS NOT NULL))
    )
"""


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
            seconds = IDLE_SECONDS
            try:
                await self.apply_ready(wait=False)
                if await self._is_ready(ANY):
                    seconds = BESIDE_SECONDS
            except Exception as error:
                if sqlstate(error) == DEADLOCK:
                    # With one that wrote ahead, and has its turn now.
                    continue
                if is_transient(error):
                    logger.warning("The database cannot apply now; trying again in %s s. %r", IDLE_SECONDS, error)
                else:
                    logger.exception("Applying failed; trying again in %s s.", IDLE_SECONDS)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), seconds)

    async def apply_ready(self, *, wait: bool) -> None:
        """Apply every complete attempt and every revert.

        While another process applies: with `wait` stand in line behind it, else leave it to that one, which
        looks again after it has released the lock. Whoever waits does so for what there was when it came: more may
        come for ever.
        """
        latest = await self._latest() if wait else None
        while await self._apply_once(wait=wait):
            if latest is not None and not await self._is_ready(latest):
                return

    async def _latest(self) -> int:
        async with self._engine.connect() as connection:
            return int(await connection.scalar(text("SELECT coalesce(max(id), 0) FROM attempt")) or 0)

    async def _is_ready(self, latest: int) -> bool:
        """Tell whether an attempt that is no younger than this one is still to be applied."""
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(text(_READY), {"latest": latest}))

    async def _apply_once(self, *, wait: bool) -> bool:
        """Apply in one transaction what is ready now; true when there was something."""
        if wait:
            async with transaction(self._engine) as connection:
                await lock(connection)
                return await apply_everything(connection, self._currency)
        return await self._apply_now() or await self._apply_ahead()

    async def _apply_now(self) -> bool:
        async with transaction(self._engine) as connection:
            if not await connection.scalar(text(_TRY), {"lock": APPLIERS_LOCK}):
                return False
            return await apply_everything(connection, self._currency, {})

    async def _apply_ahead(self) -> bool:
        """Write what comes next while others apply or write, and apply it in turn; true when there was something."""
        try:
            async with transaction(self._engine) as connection:
                written = await ahead.write(connection)
                if written is None:
                    return False
                await _wait_for(connection, APPLIERS_LOCK)
                return await apply_everything(connection, self._currency, written)
        except InVainError:
            pass
        except DBAPIError as error:
            # What came in between was in the way of what was written.
            if sqlstate(error) != DEADLOCK:
                raise
        async with transaction(self._engine) as connection:
            await _wait_for(connection, APPLIERS_LOCK)
            return await apply_everything(connection, self._currency, {})


async def lock(connection: AsyncConnection) -> None:
    """Wait until no other process applies or writes ahead, and let none until the transaction ends."""
    await _wait_for(connection, AHEAD_LOCK, APPLIERS_LOCK)


async def _wait_for(connection: AsyncConnection, *locks: int) -> None:
    """Take locks, for which may have to be waited as long as others apply something very large."""
    usual = await connection.scalar(text("SELECT current_setting('lock_timeout')"))
    await connection.execute(text(_PATIENCE), {"limit": LONG_WAIT})
    for each in locks:
        # Statements of their own: what is read in later ones was committed before the locks were got.
        await connection.execute(text(_WAIT), {"lock": each})
    await connection.execute(text(_PATIENCE), {"limit": usual})
