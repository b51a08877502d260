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

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast_sql
from services.ingest.consumer.ahead import Ahead
from services.ingest.consumer.filling import filling
from services.ingest.consumer.fold import Written
from services.ingest.consumer.planning import planned, planned_alone
from shared.messages import Mode


async def fold(connection: AsyncConnection, attempt_id: int, ahead: Ahead | None) -> Written | None:
    """Bring the keys of an attempt that begins to count up to date; None when only the general rule can.

    `ahead` is what was written of it before; None is returned too where that does not hold any more.
    """
    query = text(fast_sql.STANDING)
    standing = (await connection.execute(query, {"attempt_id": attempt_id})).mappings().one()
    if not standing["simple"] or standing["later"] or (standing["near"] and not standing["counts"]):
        return None
    if ahead is not None and not ahead.holds(standing):
        return None
    keys = {"attempt_id": attempt_id, **_region(standing, ahead)}
    written = await _write(connection, standing, keys, ahead)
    if written.new or written.changed:
        async with planned_alone(connection, standing["rows_accepted"]):
            await _follow(connection, standing, keys, written)
    return written


def _region(standing: RowMapping, ahead: Ahead | None) -> Mapping[str, object]:
    """Return the region in which rows are merged; without ends when that is everywhere or nowhere."""
    if ahead is not None:
        return ahead.region
    return {name: None if standing["covered"] else standing[name] for name in fast_sql.REGION}


async def _write(
    connection: AsyncConnection, standing: RowMapping, keys: Mapping[str, object], ahead: Ahead | None
) -> Written:
    """Insert what is outside of the region of other uploads, if that is not done, then merge what is inside."""
    rows, new = standing["rows_accepted"], ahead.rows if ahead else 0
    if not ahead and not standing["covered"]:
        async with planned_alone(connection, rows), filling(connection, rows):
            new = (await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount
    if ahead.is_whole if ahead else not standing["near"]:
        return Written(new, 0)
    async with planned(connection, rows - new):
        inside = await _merge(connection, Mode(standing["mode"]), keys)
    return Written(new + inside.new, inside.changed)


async def _follow(
    connection: AsyncConnection, standing: RowMapping, keys: Mapping[str, object], written: Written
) -> None:
    """Note what becomes of the days: entries that only add to them move them, the others have them summed again."""
    if standing["mode"] == Mode.ADD or written.new == standing["rows_accepted"]:
        await connection.execute(text(fast_sql.DELTA), {**keys, **dict.fromkeys(fast_sql.REGION)})
    else:
        if not standing["covered"]:
            await connection.execute(text(fast_sql.DELTA), keys)
        await connection.execute(text(fast_sql.TOUCH), keys)
    if written.new:
        await connection.execute(text(fast_sql.NEW_AD_GROUPS), keys)


async def _merge(connection: AsyncConnection, mode: Mode, keys: Mapping[str, object]) -> Written:
    before = (await connection.execute(text(fast_sql.WRITTEN))).one()
    await connection.execute(text(fast_sql.WRITES[mode]), keys)
    after = (await connection.execute(text(fast_sql.WRITTEN))).one()
    return Written(after.inserted - before.inserted, after.updated - before.updated)
