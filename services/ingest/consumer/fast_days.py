"""What an upload on a fast path does to the days and to the list of ad groups, once its keys are written.

Entries that only add to the days move them by their sums. Where they replace values, the days are summed again; but
if the upload has all keys of its dates, what its entries come to is what the days are.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fast_sql, sums_sql
from services.ingest.consumer.fold import Written
from services.ingest.consumer.levels import DAY, LEVELS, Level
from services.ingest.consumer.planning import LARGE, are_most_keys, planned_alone, planned_by_size
from services.ingest.consumer.second_session import Question, SecondSession, Seen, second_session
from shared.messages import Mode


@asynccontextmanager
async def beginning(
    connection: AsyncConnection, standing: RowMapping, *, is_first: bool
) -> AsyncIterator[SecondSession | None]:
    """Have a second session begin with a large attempt's sums, where they are of use and nothing came before."""
    is_split = standing["near"] and not standing["covered"] and standing["mode"] == Mode.UPSERT
    if not is_first or is_split or standing["rows_accepted"] < LARGE:
        yield None
        return
    async with second_session(connection, await _question(connection, standing)) as second:
        yield second


async def _question(connection: AsyncConnection, standing: RowMapping) -> Question:
    rows, dates = standing["rows_accepted"], None
    if standing["near"] and standing["mode"] == Mode.UPSERT and await are_most_keys(connection, rows):
        dates = (standing["first_date"], standing["last_date"])
    return Question(standing["attempt_id"], rows, dates)


async def follow(
    connection: AsyncConnection,
    standing: RowMapping,
    keys: Mapping[str, object],
    written: Written,
    second: SecondSession | None,
) -> None:
    """Note what becomes of the days, and the ad groups that are new."""
    seen = await second.seen(connection) if second else None
    if second and seen:
        await _by_sums(connection, standing, written, seen, second)
    async with planned_alone(connection, standing["rows_accepted"]):
        if not seen:
            await _by_entries(connection, standing, keys, written)
        if written.new:
            await _add_ad_groups(connection, keys, seen)


def _only_adds(standing: RowMapping, written: Written) -> bool:
    return bool(standing["mode"] == Mode.ADD or written.new == standing["rows_accepted"])


async def _by_sums(
    connection: AsyncConnection, standing: RowMapping, written: Written, seen: Seen, second: SecondSession
) -> None:
    """Move the whole rollup by the sums, make them what it is, or only note from them what days there are."""
    attempt = {"attempt_id": standing["attempt_id"]}
    if _only_adds(standing, written):
        for level in LEVELS:
            await _add(connection, level, attempt, second)
    elif seen.keys is not None and seen.keys + written.new == standing["rows_accepted"]:
        for level in LEVELS:
            await _merge(connection, level, sums_sql.put(level), second)
        await connection.execute(text(sums_sql.CHANGE_ENDS), attempt)
    else:
        await second.fill(connection, DAY.sums, DAY)
        await connection.execute(text(sums_sql.TOUCH))


async def _add(connection: AsyncConnection, level: Level, attempt: Mapping[str, object], second: SecondSession) -> None:
    if await connection.scalar(text(sums_sql.are_there(level)), attempt):
        await _merge(connection, level, sums_sql.add(level), second)
    else:
        await second.fill(connection, level.table, level)


async def _merge(connection: AsyncConnection, level: Level, statement: str, second: SecondSession) -> None:
    await second.fill(connection, level.sums, level)
    async with planned_by_size(connection, level.sums, level.table):
        await connection.execute(text(statement))


async def _by_entries(
    connection: AsyncConnection, standing: RowMapping, keys: Mapping[str, object], written: Written
) -> None:
    if _only_adds(standing, written):
        await connection.execute(text(fast_sql.DELTA), {**keys, **dict.fromkeys(fast_sql.REGION)})
        return
    if not standing["covered"]:
        await connection.execute(text(fast_sql.DELTA), keys)
    await connection.execute(text(fast_sql.TOUCH), keys)


async def _add_ad_groups(connection: AsyncConnection, keys: Mapping[str, object], seen: Seen | None) -> None:
    if seen is None or seen.new_ad_groups is None:
        await connection.execute(text(fast_sql.ADD_AD_GROUPS), keys)
    elif seen.new_ad_groups:
        await connection.execute(text(fast_sql.ADD_THESE), {"ad_groups": seen.new_ad_groups})
