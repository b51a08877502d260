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

from services.ingest.consumer import fast_sql, following
from services.ingest.consumer.filling import filling
from services.ingest.consumer.fold import Written
from services.ingest.consumer.planning import planned, planned_alone
from shared.messages import Mode


async def fold(connection: AsyncConnection, attempt_id: int, *, is_first: bool) -> Written | None:
    """Bring the keys of an attempt that begins to count up to date; None when only the general rule can.

    `is_first` says that the transaction has not changed anything yet that could be read.
    """
    query = text(fast_sql.STANDING)
    standing = (await connection.execute(query, {"attempt_id": attempt_id})).mappings().one()
    if not standing["simple"] or standing["later"] or (standing["near"] and not standing["counts"]):
        return None
    is_whole = standing["covered"]
    keys = {"attempt_id": attempt_id} | {name: None if is_whole else standing[name] for name in fast_sql.REGION}
    async with following.beginning(connection, standing, is_first=is_first) as second:
        written = await _write(connection, standing, keys)
        if written.new or written.changed:
            await following.follow(connection, standing, keys, written, second)
    return written


async def _write(connection: AsyncConnection, standing: RowMapping, keys: Mapping[str, object]) -> Written:
    """Insert what is outside of the region of other uploads, then merge what is inside."""
    rows, new = standing["rows_accepted"], 0
    if not standing["near"] or not standing["covered"]:
        async with planned_alone(connection, rows), filling(connection, rows):
            new = (await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount
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
