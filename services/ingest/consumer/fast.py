"""The fast paths beside the fold: an upload that is the latest word on its keys need not be folded with the others.

Each is chosen by what is known of the ledger, and gives what the general rule in `fold` would give:

* *fresh*: nothing else that counts is near, so none of the keys has a value. The entries are the values.
* *latest word*: an `upsert` after everything near. The entries replace the values.
* *one more*: an `add` without a later `upsert` near. The entries are added to the values.

All three need that the upload did not count before, counts now, and has nothing to do with fixes; the last two
also that PostgreSQL counts the rows it writes, which it does unless told not to.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast_sql
from services.ingest.consumer.fold import Written
from shared.messages import Mode

LARGE = 50_000
"""From so many rows on, joins that read whole tables are better than looking keys up one by one."""

# The planner knows nothing about an attempt that has just arrived, and takes it for a row, or for millions.
_PLANS = """
    SELECT set_config(name, value, true)
    FROM unnest(cast(:names AS text[]), cast(:settings AS text[])) AS plan (name, value)
"""
_LARGE = {"work_mem": "64MB", "enable_nestloop": "off"}
_SMALL = {"enable_hashjoin": "off", "enable_mergejoin": "off"}


async def fold(connection: AsyncConnection, attempt_id: int) -> Written | None:
    """Bring the keys of an attempt that begins to count up to date; None when only the general rule can."""
    query = text(fast_sql.STANDING)
    standing = (await connection.execute(query, {"attempt_id": attempt_id})).mappings().one()
    if not standing["simple"] or standing["later"] or (standing["near"] and not standing["counts"]):
        return None
    async with planned(connection, large=standing["rows_accepted"] >= LARGE):
        return await _write(connection, attempt_id, standing)


async def _write(connection: AsyncConnection, attempt_id: int, standing: RowMapping) -> Written:
    keys = {"attempt_id": attempt_id}
    mode = Mode(standing["mode"])
    is_fresh = not standing["near"]
    written = await (_insert(connection, keys) if is_fresh else _merge(connection, mode, keys))
    adds = is_fresh or mode is Mode.ADD
    await connection.execute(text(fast_sql.DELTA if adds else fast_sql.TOUCH), keys)
    await connection.execute(text(fast_sql.NEW_AD_GROUPS), keys)
    return written


async def _insert(connection: AsyncConnection, keys: Mapping[str, int]) -> Written:
    return Written((await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount, 0)


async def _merge(connection: AsyncConnection, mode: Mode, keys: Mapping[str, int]) -> Written:
    before = (await connection.execute(text(fast_sql.WRITTEN))).one()
    await connection.execute(text(fast_sql.WRITES[mode]), keys)
    after = (await connection.execute(text(fast_sql.WRITTEN))).one()
    return Written(after.inserted - before.inserted, after.updated - before.updated)


@asynccontextmanager
async def planned(connection: AsyncConnection, *, large: bool) -> AsyncIterator[None]:
    """Keep the planner from taking a large attempt for a small one, or the other way round."""
    settings = _LARGE if large else _SMALL
    await _set(connection, settings)
    yield
    await _set(connection, dict.fromkeys(settings))


async def _set(connection: AsyncConnection, settings: Mapping[str, str | None]) -> None:
    """Set what the planner may do until the end of the transaction; None: the default again."""
    await connection.execute(text(_PLANS), {"names": list(settings), "settings": list(settings.values())})
