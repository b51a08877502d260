"""Compaction: old uploads become one base for each kind, which says the same as they and is final.

To the fold a base is an upload like any other, below all others. All of it happens in one transaction that holds the
appliers' lock; it is taken back as a whole if it would change any number.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import applier, bases, fold
from services.ingest.consumer.applying import apply_everything
from services.ingest.consumer.bases import Base
from services.ingest.consumer.fold_sql import FOLDS
from shared import failpoints

# A compaction may take longer than anything that an applier does.
_TAKE_TIME = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0")
# A request to take an upload back is either recorded before this, or finds the upload compacted after it.
_HOLD = "SELECT count(*) FROM (SELECT id FROM upload FOR NO KEY UPDATE) AS held"
_KNOWN = "SELECT compacted_before FROM dataset"
_NOTE = "UPDATE dataset SET compacted_before = :before"
_KEYS = """
    SELECT (SELECT count(*) FROM ad_group_stat) + (SELECT count(*) FROM ad_group) + (SELECT count(*) FROM campaign)
"""
_TABLES = "stat_entry, ad_group_entry, campaign_entry, upload, attempt"


class CompactionError(RuntimeError):
    """A compaction that was not done, since it would have changed numbers."""


async def compact(
    engine: AsyncEngine,
    before: datetime,
    currency: str | None,
    say: Callable[[str], None],
) -> None:
    """Fold all uploads whose place is before a time into bases, and let their space be used again.

    `say` is told what is done. Raises `CompactionError`.
    """
    async with engine.begin() as connection:
        await _compact(connection, before, currency, say)
    say("Letting the space be used again.")
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"VACUUM (ANALYZE) {_TABLES}"))


async def try_out(
    engine: AsyncEngine,
    before: datetime,
    currency: str | None,
    say: Callable[[str], None],
) -> None:
    """Do the same, and take it back instead of committing it."""
    async with engine.connect() as connection, connection.begin() as transaction:
        await _compact(connection, before, currency, say)
        await transaction.rollback()


async def _compact(
    connection: AsyncConnection, before: datetime, currency: str | None, say: Callable[[str], None]
) -> None:
    for setting in _TAKE_TIME:
        await connection.execute(text(setting))
    await applier.lock(connection)
    await connection.execute(text(_HOLD))
    while await apply_everything(connection, currency):
        pass
    known: datetime | None = await connection.scalar(text(_KNOWN))
    if known is not None and before <= known:
        say(f"Everything before {known:%Y-%m-%d} is compacted already.")
        return
    await fold.prepare(connection)
    made = [base for each in FOLDS if (base := await bases.make(connection, each, before))]
    for base in made:
        say(f"{base.kind}: folded {base.uploads:,} more; {base.entries_before:,} entries become {base.entries:,}.")
    await connection.execute(text(_NOTE), {"before": before})
    await _prove(connection, made)
    say("Folded again, every number is the same." if made else "There is nothing to compact.")
    await failpoints.reach("compacted")


async def _prove(connection: AsyncConnection, made: Sequence[Base]) -> None:
    """Fold every key of the bases again; raises `CompactionError` when anything comes out otherwise."""
    keys = await connection.scalar(text(_KEYS))
    written = await fold.fold(connection, [base.attempt_id for base in made])
    differing = sum(each.new + each.changed for each in written.values())
    if differing or await connection.scalar(text(_KEYS)) != keys:
        raise CompactionError("Numbers would have changed, which is an error of adledger's; nothing was done.")
