"""The fast paths beside the fold: an upload that is the latest word on its keys need not be folded with the others.

Each is chosen by what is known of the ledger, and gives what the general rule in `fold` would give:

* *fresh*: nothing else that counts is near, so none of the keys has a value. The entries are the values.
* *latest word*: an `upsert` after everything near. The entries replace the values.
* *one more*: an `add` without a later `upsert` near. The entries are added to the values.

All three need that the upload did not count before, counts now, and has nothing to do with fixes; the last two
also that PostgreSQL counts the rows it writes, which it does unless told not to.
"""

from collections.abc import Mapping

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast_sql
from services.ingest.consumer.filling import filling
from services.ingest.consumer.fold import Written
from services.ingest.consumer.planning import planned
from shared.messages import Mode


async def fold(connection: AsyncConnection, attempt_id: int) -> Written | None:
    """Bring the keys of an attempt that begins to count up to date; None when only the general rule can."""
    query = text(fast_sql.STANDING)
    standing = (await connection.execute(query, {"attempt_id": attempt_id})).mappings().one()
    if not standing["simple"] or standing["later"] or (standing["near"] and not standing["counts"]):
        return None
    async with planned(connection, standing["rows_accepted"]):
        return await _write(connection, attempt_id, standing)


async def _write(connection: AsyncConnection, attempt_id: int, standing: RowMapping) -> Written:
    keys = {"attempt_id": attempt_id}
    mode = Mode(standing["mode"])
    is_fresh = not standing["near"]
    if is_fresh:
        async with filling(connection, standing["rows_accepted"]):
            written = await _insert(connection, keys)
    else:
        written = await _merge(connection, mode, keys)
    adds = is_fresh or mode is Mode.ADD
    if written.new or written.changed:
        await connection.execute(text(fast_sql.DELTA if adds else fast_sql.TOUCH), keys)
    if written.new:
        await connection.execute(text(fast_sql.NEW_AD_GROUPS), keys)
    return written


async def _insert(connection: AsyncConnection, keys: Mapping[str, int]) -> Written:
    return Written((await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount, 0)


async def _merge(connection: AsyncConnection, mode: Mode, keys: Mapping[str, int]) -> Written:
    before = (await connection.execute(text(fast_sql.WRITTEN))).one()
    await connection.execute(text(fast_sql.WRITES[mode]), keys)
    after = (await connection.execute(text(fast_sql.WRITTEN))).one()
    return Written(after.inserted - before.inserted, after.updated - before.updated)
