"""The applier: makes complete attempts count, in order, each entirely or not at all."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import fold, ledger, rollup

logger = logging.getLogger(__name__)

LOCK = 7042018
"""The advisory lock that makes the appliers of all consumers take turns."""

IDLE_SECONDS = 5.0

_READY = """
    SELECT a.*, u.kind, u.keyed
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    WHERE a.state = 'complete'
    ORDER BY least(a.received_at, a.first_seen), a.upload_id
"""

# The attempt that gives the upload its place and its entries: the latest, or with a key the earliest.
_CHOOSE = """
    SELECT id, least(received_at, first_seen) AS place
    FROM attempt
    WHERE upload_id = :upload_id AND (state = 'applied' OR id = :attempt_id)
    ORDER BY place {order} LIMIT 1
"""

_APPLIED = "UPDATE attempt SET state = 'applied', applied_at = clock_timestamp() WHERE id = :attempt_id"
_SPEAKS = "UPDATE upload SET attempt_id = :attempt_id, place = :place WHERE id = :upload_id"
_FAILED = "UPDATE attempt SET state = 'failed', reason = :reason WHERE id = :attempt_id"

_DATA_ERRORS = ("22", "23")
"""SQLSTATE classes of data exceptions and violated constraints (PostgreSQL, appendix A)."""


class TotalsMismatchError(ValueError):
    """The entries of an attempt are not what its manifest says they are."""


class Applier:
    """Applies what is ready: in the background while `running`, or at once by `apply_ready`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
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
        """Apply every complete attempt.

        While another process applies: with `wait` stand in line behind it, else leave it to that one, which
        looks again after it has released the lock.
        """
        while await self._apply_once(wait=wait):
            pass

    async def _apply_once(self, *, wait: bool) -> bool:
        """Apply what is ready now in one transaction; true when there was something."""
        async with self._engine.begin() as connection:
            if not await _lock(connection, wait=wait):
                return False
            ready = (await connection.execute(text(_READY))).mappings().all()
            if ready:
                await _apply_all(connection, ready)
            return bool(ready)


async def _lock(connection: AsyncConnection, *, wait: bool) -> bool:
    # A statement of its own: what is read in later ones was committed before the lock was got.
    if wait:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        return True
    return bool(await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": LOCK}))


async def _apply_all(connection: AsyncConnection, ready: Sequence[RowMapping]) -> None:
    await fold.prepare(connection)
    for attempt in ready:
        try:
            async with connection.begin_nested():
                await _apply(connection, attempt)
        except TotalsMismatchError as error:
            await _fail(connection, attempt, str(error))
        except DBAPIError as error:
            if not _is_about_data(error):
                raise
            await _fail(connection, attempt, f"The numbers cannot be stored: {error.orig}")
    await rollup.refresh(connection)
    await connection.execute(text("UPDATE dataset SET version = version + 1"))


async def _apply(connection: AsyncConnection, attempt: RowMapping) -> None:
    """Let the attempt be its upload's word, unless another one of the upload is; drop the one that is not."""
    await _check_totals(connection, attempt)
    keys = {"upload_id": attempt["upload_id"], "attempt_id": attempt["id"]}
    order = "ASC" if attempt["keyed"] else "DESC"
    chosen = (await connection.execute(text(_CHOOSE.format(order=order)), keys)).mappings().one()
    previous = await connection.scalar(text("SELECT attempt_id FROM upload WHERE id = :upload_id"), keys)
    await connection.execute(text(_APPLIED), keys)
    if chosen["id"] == attempt["id"]:
        await connection.execute(text(_SPEAKS), {**keys, "place": chosen["place"]})
        await fold.fold(connection, [attempt["id"], *([previous] if previous else [])])
        superseded = previous
    else:
        superseded = attempt["id"]
    if superseded:
        await ledger.drop_entries(connection, attempt["kind"], superseded)


async def _check_totals(connection: AsyncConnection, attempt: RowMapping) -> None:
    found = await ledger.totals(connection, attempt["kind"], attempt["id"])
    for name, value in found.items():
        if value != attempt[name]:
            raise TotalsMismatchError(f"Announced {name} {attempt[name]}, but received {value}.")


async def _fail(connection: AsyncConnection, attempt: RowMapping, reason: str) -> None:
    logger.error("Upload %s failed: %s", attempt["upload_id"], reason)
    await connection.execute(text(_FAILED), {"attempt_id": attempt["id"], "reason": reason})


def _is_about_data(error: DBAPIError) -> bool:
    return str(getattr(error.orig, "sqlstate", "") or "").startswith(_DATA_ERRORS)
