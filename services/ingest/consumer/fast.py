"""The fast paths beside the fold: an upload that is the latest word on its keys need not be folded with the others.

Each is chosen by what is known of the ledger, and gives what the general rule in `fold` would give:

* *fresh*: nothing else that counts is near, so none of the keys has a value. The entries are the values.
* *latest word*: an `upsert` after everything near. The entries replace the values.
* *one more*: an `add` without a later `upsert` near. The entries are added to the values.

All three need that the upload did not count before, counts now, and has nothing to do with fixes.
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
    if not standing["simple"] or standing["later"]:
        return None
    async with planned(connection, large=standing["rows_accepted"] >= LARGE):
        return await _write(connection, attempt_id, standing)


async def _write(connection: AsyncConnection, attempt_id: int, standing: RowMapping) -> Written:
    keys = {"attempt_id": attempt_id}
    mode = Mode(standing["mode"])
    delta = fast_sql.DELTAS[mode] if standing["near"] else fast_sql.DELTA_OF_NEW
    found = (await connection.execute(text(delta), keys)).one()
    all_new = found.new == standing["rows_accepted"]
    await connection.execute(text(fast_sql.WRITE_NEW if all_new else fast_sql.WRITES[mode]), keys)
    if found.unattributed:
        await connection.execute(text(fast_sql.NEW_AD_GROUPS), keys)
    return Written(found.new, found.changed)


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
