"""Writing ahead: whoever may not apply now already writes the rows of the attempts that will come next.

What it writes becomes visible only with its own turn, and only if it is then exactly what would be written; else all of
it is taken back. It claims the attempts, so that nobody else applies them, or what comes after them, meanwhile. Those
who must see everything applied (commands, compactions, migrations) wait first until nobody writes ahead.
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast, fast_sql, planning, ready
from services.ingest.consumer.fast import Ahead
from shared import failpoints
from shared.database import AHEAD_LOCK, is_about_data

_MAY = "SELECT pg_try_advisory_xact_lock_shared(:lock)"
# Not asked of the stats themselves: who fills them for the first time has locked them.
_IS_FILLED = "SELECT EXISTS (SELECT FROM campaign_day)"


async def write(connection: AsyncConnection) -> dict[int, Ahead] | None:
    """Write the rows of the attempts after those that others apply; None when nothing is claimed for it.

    Whoever has claimed something must have its turn, since others leave to it what that is. Those whose claims come
    before are waited for, lest this one gets its turn before them.
    """
    # Before any table is touched that somebody may want who waits for those who write ahead.
    if not await connection.scalar(text(_MAY), {"lock": AHEAD_LOCK}) or not await connection.scalar(text(_IS_FILLED)):
        return None
    others, attempts = await ready.find_unclaimed(connection)
    written = await _write_some(connection, attempts)
    await failpoints.reach("ahead")
    if written is not None and others:
        await ready.wait_for(connection, others[-1])
    return written


async def _write_some(connection: AsyncConnection, attempts: Sequence[RowMapping]) -> dict[int, Ahead] | None:
    written: dict[int, Ahead] | None = None
    rows = 0
    for attempt in attempts:
        rows += attempt["rows_accepted"]
        expected = await _expected(connection, attempt) if rows <= ready.MOST_ROWS or not written else None
        if expected is None or not await ready.claim(connection, [attempt]):
            break
        written = written or {}
        ahead = await _try_write(connection, expected)
        if ahead is None:
            break
        written[attempt["id"]] = ahead
    return written


async def _expected(connection: AsyncConnection, attempt: RowMapping) -> RowMapping | None:
    """Return where a large attempt will stand when its turn comes; None where a part cannot be written before."""
    if attempt["rows_accepted"] < planning.LARGE:
        return None
    query = text(fast_sql.EXPECTED)
    expected = (await connection.execute(query, {"attempt_id": attempt["id"]})).mappings().one()
    return expected if expected["simple"] and fast.has_outside(expected) else None


async def _try_write(connection: AsyncConnection, expected: RowMapping) -> Ahead | None:
    """Write an attempt's rows; None when they cannot be written, which it will be told in its turn."""
    try:
        async with connection.begin_nested():
            return await _write(connection, expected)
    except DBAPIError as error:
        if not is_about_data(error):
            raise
        return None


async def _write(connection: AsyncConnection, expected: RowMapping) -> Ahead:
    await planning.summarize_for(connection, expected["rows_accepted"])
    region = fast.region(expected)
    keys = {"attempt_id": expected["attempt_id"], **region}
    return Ahead(await fast.write_outside(connection, expected["rows_accepted"], keys), region)
