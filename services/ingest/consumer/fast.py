"""The fast paths beside the fold: an upload that is the latest word on its keys need not be folded with the others.

Each is chosen by what is known of the ledger, and gives what the general rule in `fold` would give:

* *fresh*: nothing else that counts is near, so none of the keys has a value. The entries are the values.
* *latest word*: an `upsert` after everything near. The entries replace the values.
* *one more*: an `add` without a later `upsert` near. The entries are added to the values.

All three need that the upload did not count before, counts now, and has nothing to do with fixes; the last two
also that PostgreSQL counts the rows it writes, which it does unless told not to. They concern only the region of dates
and ad groups that other uploads have, too: what is outside of it is always fresh.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast_days, fast_sql
from services.ingest.consumer.filling import filling
from services.ingest.consumer.fold import Written
from services.ingest.consumer.planning import planned, planned_alone
from shared.messages import Mode


@dataclass(frozen=True)
class Ahead:
    """What of an attempt was written before its turn: the rows outside of a region, and how many they were."""

    rows: int
    region: Mapping[str, object]


class InVainError(RuntimeError):
    """What was written ahead is not what is to be written now; the transaction must be taken back."""


async def fold(connection: AsyncConnection, attempt_id: int, ahead: Ahead | None, *, is_first: bool) -> Written | None:
    """Bring the keys of an attempt that begins to count up to date; None when only the general rule can.

    `is_first` says that the transaction has not changed anything yet that could be read. Raises `InVainError` when
    something else was written `ahead` than would be written now.
    """
    query = text(fast_sql.STANDING)
    standing = (await connection.execute(query, {"attempt_id": attempt_id})).mappings().one()
    is_fast = standing["simple"] and not standing["later"] and (standing["counts"] or not standing["near"])
    if ahead and not (is_fast and has_outside(standing) and ahead.region == region(standing)):
        raise InVainError
    if not is_fast:
        return None
    is_whole = standing["covered"]
    keys = {"attempt_id": attempt_id} | {name: None if is_whole else standing[name] for name in fast_sql.REGION}
    async with fast_days.beginning(connection, standing, is_first=is_first) as second:
        written = await _write(connection, standing, keys, ahead)
        if written.new or written.changed:
            await fast_days.follow(connection, standing, keys, written, second)
    return written


def has_outside(standing: RowMapping) -> bool:
    """Tell whether an upload may have keys that no other has."""
    return not standing["near"] or not standing["covered"]


def region(standing: RowMapping) -> dict[str, object]:
    """Return the ends of the region that an upload shares with others."""
    return {name: standing[name] for name in fast_sql.REGION}


async def write_outside(connection: AsyncConnection, rows: int, keys: Mapping[str, object]) -> int:
    """Insert those of an attempt's so many rows that are outside of a region, and return how many they are."""
    async with planned_alone(connection, rows), filling(connection, rows):
        return (await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount


async def _write(
    connection: AsyncConnection, standing: RowMapping, keys: Mapping[str, object], ahead: Ahead | None
) -> Written:
    """Insert what is outside of the region of other uploads, then merge what is inside."""
    rows, new = standing["rows_accepted"], 0
    if ahead:
        new = ahead.rows
    elif has_outside(standing):
        new = await write_outside(connection, rows, keys)
    if not standing["near"]:
        return Written(new, 0)
    async with planned(connection, rows - new):
        inside = await _merge(connection, Mode(standing["mode"]), keys)
    return Written(new + inside.new, inside.changed)


async def _merge(connection: AsyncConnection, mode: Mode, keys: Mapping[str, object]) -> Written:
    before = (await connection.execute(text(fast_sql.WRITTEN))).one()
    await connection.execute(text(fast_sql.WRITES[mode]), keys)
    after = (await connection.execute(text(fast_sql.WRITTEN))).one()
    return Written(after.inserted - before.inserted, after.updated - before.updated)
