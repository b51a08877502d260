"""The janitor: gives up attempts whose publisher is gone, so that what they left behind does not stay for ever.

An attempt is given up when the queue has been empty and the database there for a while, nothing of the attempt
has come for as long, and its last batch was never seen: the last batch goes out only after all others were
confirmed, so without it the client got no 202. Its receipts and entries go together; a batch that comes after
all opens it again.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import ledger
from services.ingest.consumer.lifeline import transaction

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
REASON = "Its sender went away before the last batch was sent; send the file again."

_FORSAKEN = """
    SELECT a.id, a.upload_id, u.kind
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    WHERE a.state = 'staging' AND a.last_seen < clock_timestamp() - cast(:patience AS interval)
      AND NOT EXISTS (SELECT FROM receipt r WHERE r.attempt_id = a.id AND r.number = a.batches - 1)
    ORDER BY a.id
    FOR UPDATE OF a SKIP LOCKED
"""
_ABANDON = "UPDATE attempt SET state = 'abandoned', batches_seen = 0, reason = :reason WHERE id = :id"


class Janitor:
    """Looks now and then; `queue_is_empty` tells whether batches may still be on their way."""

    def __init__(self, engine: AsyncEngine, patience: timedelta, queue_is_empty: Callable[[], bool]) -> None:
        self._engine = engine
        self._patience = patience
        self._queue_is_empty = queue_is_empty

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look for as long as the context lasts."""
        looking = asyncio.create_task(self._run())
        try:
            yield
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _run(self) -> None:
        calm_since: float | None = None
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                if not await self._is_calm():
                    calm_since = None
                    continue
                calm_since = calm_since or time.monotonic()
                if time.monotonic() - calm_since >= self._patience.total_seconds():
                    await self.tidy()
            except (SQLAlchemyError, OSError) as error:
                # While the database was away, others may have held batches that they could not stage.
                calm_since = None
                logger.warning("Could not look for abandoned uploads: %s", error)

    async def _is_calm(self) -> bool:
        """Tell whether nothing is on its way, as far as can be seen; raises when the database is away."""
        async with self._engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return self._queue_is_empty()

    async def tidy(self) -> None:
        """Give up every attempt that nobody will complete."""
        async with transaction(self._engine) as connection:
            forsaken = (await connection.execute(text(_FORSAKEN), {"patience": self._patience})).all()
            for attempt in forsaken:
                logger.warning("Upload %s was abandoned: %s", attempt.upload_id, REASON)
                await _abandon(connection, attempt.id, attempt.kind)


async def _abandon(connection: AsyncConnection, attempt_id: int, kind: str) -> None:
    await ledger.drop_entries(connection, kind, attempt_id)
    await ledger.drop_receipts(connection, attempt_id)
    await connection.execute(text(_ABANDON), {"id": attempt_id, "reason": REASON})
