"""The fold: from the ledger's entries to the current value of each touched key.

Every touched key is folded anew from all counting uploads, which is right in whatever order things arrive.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer.fold_sql import FOLDS, FORGET_DAYS, TEMPORARY_TABLES, Fold
from shared.messages import Kind


@dataclass(frozen=True)
class Written:
    """How many keys a fold gave a value for the first time, and how many another value."""

    new: int
    changed: int


async def prepare(connection: AsyncConnection) -> None:
    """Make the temporary tables of what is touched, once a session.

    They are empty after each commit; those of days are so after this, too, since a transaction may go on from here.
    """
    if await connection.scalar(text(f"SELECT to_regclass('pg_temp.{list(TEMPORARY_TABLES)[-1]}') IS NOT NULL")):
        await connection.execute(text(FORGET_DAYS))
        return
    for table, columns in TEMPORARY_TABLES.items():
        await connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS"))


async def fold(connection: AsyncConnection, attempts: Sequence[int]) -> dict[Kind, Written]:
    """Bring every key that these attempts have entries for up to date, and what depends on those keys.

    `attempts` are the ids of those that began or ceased to count; their entries must still be there.
    """
    await forget(connection)
    return {each.kind: await _fold_kind(connection, each, attempts) for each in FOLDS}


async def forget(connection: AsyncConnection) -> None:
    """Forget which keys were touched."""
    for each in FOLDS:
        await connection.execute(text(f"DELETE FROM {each.touched}"))


async def touch(connection: AsyncConnection, fold: Fold, attempts: Sequence[int]) -> None:
    """Note the keys of a kind that these attempts have entries for, and those that depend on keys noted before."""
    await connection.execute(text(f"INSERT INTO {fold.touched} {fold.collect}"), {"attempts": list(attempts)})
    await connection.execute(text(f"ANALYZE {fold.touched}"))


async def _fold_kind(connection: AsyncConnection, fold: Fold, attempts: Sequence[int]) -> Written:
    await touch(connection, fold, attempts)
    await connection.execute(text(f"DELETE FROM {fold.folded}"))
    await connection.execute(text(f"INSERT INTO {fold.folded} {fold.compute}"), {"until": None})
    await connection.execute(text(f"ANALYZE {fold.folded}"))
    for statement in fold.follow:
        await connection.execute(text(statement))
    return await _write(connection, fold)


async def _write(connection: AsyncConnection, fold: Fold) -> Written:
    """Write the new values; a row that was not there before has no xmax."""
    counted = f"""
        WITH written AS ({fold.write} RETURNING (xmax = 0) AS is_new)
        SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
    """
    row = (await connection.execute(text(counted))).one()
    return Written(row.new, row.changed)
