"""The one currency of all data: the one that is set, or else that of the first applied file that states one."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer.admission import RefusedAttemptError

# An upload holds the data to its currency until it, or what it mends, is taken back.
_SETTLE = """
    WITH RECURSIVE standing AS (
        SELECT id, attempt_id, place
        FROM upload
        WHERE fixes IS NULL AND place IS NOT NULL AND (reverted_at IS NULL OR place > reverted_at)
        UNION ALL
        SELECT fix.id, fix.attempt_id, standing.place
        FROM standing JOIN upload fix ON fix.fixes = standing.id
        WHERE fix.place IS NOT NULL AND (fix.reverted_at IS NULL OR fix.place > fix.reverted_at)
    ),
    first AS (
        SELECT a.currency
        FROM standing s JOIN attempt a ON a.id = s.attempt_id
        WHERE a.currency IS NOT NULL
        ORDER BY s.place, s.id LIMIT 1
    )
    UPDATE dataset SET currency = coalesce(CAST(:setting AS text), (SELECT currency FROM first))
    WHERE currency IS DISTINCT FROM coalesce(CAST(:setting AS text), (SELECT currency FROM first))
"""

# What an upload brings with it when it counts: its own currency, and those of its fixes.
_BROUGHT = """
    WITH RECURSIVE brought AS (
        SELECT id, attempt_id FROM upload WHERE id = :upload_id AND (reverted_at IS NULL OR place > reverted_at)
        UNION ALL
        SELECT fix.id, fix.attempt_id
        FROM brought JOIN upload fix ON fix.fixes = brought.id
        WHERE fix.reverted_at IS NULL OR fix.place > fix.reverted_at
    )
    SELECT DISTINCT a.currency
    FROM brought JOIN attempt a ON a.id = brought.attempt_id
    WHERE a.currency IS NOT NULL ORDER BY a.currency
"""


async def settle(connection: AsyncConnection, setting: str | None) -> None:
    """Find out the currency anew, after uploads began or ceased to count; a `setting` goes first."""
    await connection.execute(text(_SETTLE), {"setting": setting})


async def agree(connection: AsyncConnection, upload_id: UUID) -> None:
    """Raise `RefusedAttemptError` when what comes to count with an upload is in another currency than the data so far.

    The first one to state a currency states it for all.
    """
    brought = (await connection.execute(text(_BROUGHT), {"upload_id": upload_id})).scalars().all()
    if not brought:
        return
    known = await connection.scalar(text("SELECT currency FROM dataset"))
    if known is None:
        await settle(connection, None)
    others = [currency for currency in brought if currency != (known or brought[0])]
    if others:
        raise RefusedAttemptError(
            f"It is in {others[0]}, but the data so far are in {known or brought[0]}; there can be one currency only."
        )
