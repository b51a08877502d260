"""What PostgreSQL's planner cannot know of an attempt that has just arrived: its size, and where its rows lie."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import LOCK_NOT_AVAILABLE, sqlstate

ROOM = "192MB"
"""How much memory a join or a sort may take; there is one applier at a time."""

LARGE = 50_000
"""Below so many rows, looking keys up one by one is quick enough whatever the table's size."""

SHARE = 10
"""A larger attempt is joined to the whole table when it has at least one row for so many of the table's."""

MOST = 4
"""All entries, or keys, are read at once where at least one of so many is the attempt's."""

ROW_BYTES = 150
"""About what a row of the current stats takes, with its pages half full."""

ENTRY_BYTES = 90
"""About what an entry takes."""

_ROWS = f"SELECT pg_relation_size('ad_group_stat') / {ROW_BYTES}"
_ENTRIES = f"SELECT pg_relation_size('stat_entry') / {ENTRY_BYTES}"
_SET = """
    SELECT set_config(name, value, true)
    FROM unnest(cast(:names AS text[]), cast(:settings AS text[])) AS plan (name, value)
"""
# A plan that was kept from other executions would not heed what is set here.
_NEWLY = {"plan_cache_mode": "force_custom_plan"}
_WHOLE_TABLES = {**_NEWLY, "work_mem": ROOM, "enable_nestloop": "off"}
_IN_ORDER = {**_WHOLE_TABLES, "enable_hashjoin": "off"}
_WITHOUT_OTHERS = {**_NEWLY, "work_mem": ROOM, "enable_seqscan": "off", "max_parallel_workers_per_gather": "0"}
_KEY_BY_KEY = {
    **_NEWLY,
    **dict.fromkeys(("enable_hashjoin", "enable_mergejoin", "enable_seqscan"), "off"),
    "max_parallel_workers_per_gather": "0",
}

_SUMMARIZE = ("SET LOCAL lock_timeout = '50ms'", "SELECT brin_summarize_new_values('stat_entry_attempt_id_idx')")
DENIED = ("42501", LOCK_NOT_AVAILABLE)
"""SQLSTATEs: also insufficient_privilege, for a role that does not own the table."""


@asynccontextmanager
async def planned(connection: AsyncConnection, rows: int) -> AsyncIterator[None]:
    """Have the statements within planned for joining so many entries to the current stats, whatever it believes."""
    is_large = rows >= LARGE and rows * SHARE >= await _number(connection, _ROWS)
    async with _setting(connection, _WHOLE_TABLES if is_large else _KEY_BY_KEY):
        yield


@asynccontextmanager
async def planned_alone(connection: AsyncConnection, rows: int) -> AsyncIterator[None]:
    """Have the statements within planned for reading an attempt's entries, so many, and not those of all others."""
    if rows < LARGE:
        settings = _KEY_BY_KEY
    else:
        settings = _WHOLE_TABLES if await are_most_entries(connection, rows) else _WITHOUT_OTHERS
    async with _setting(connection, settings):
        yield


@asynccontextmanager
async def planned_by_size(connection: AsyncConnection, few: str, many: str) -> AsyncIterator[None]:
    """Have the statements within planned for joining a full table to one that has room in its pages.

    By their order, in which rows then come, if the first is large beside the second; else key by key.
    """
    sizes = f"SELECT pg_relation_size('{few}') * {2 * SHARE} >= pg_relation_size('{many}')"
    is_large = await connection.scalar(text(sizes))
    async with _setting(connection, _IN_ORDER if is_large else _KEY_BY_KEY):
        yield


async def are_most_entries(connection: AsyncConnection, rows: int) -> bool:
    """Tell whether an attempt of so many rows is read with all others, which takes no index."""
    return rows >= LARGE and rows * MOST >= await _number(connection, _ENTRIES)


async def are_most_keys(connection: AsyncConnection, rows: int) -> bool:
    """Tell whether so many rows are a large part of the current stats."""
    return rows * MOST >= await _number(connection, _ROWS)


async def give_room(connection: AsyncConnection) -> None:
    """Let joins and sorts of this transaction take as much memory as they may."""
    await _set(connection, {"work_mem": ROOM})


@asynccontextmanager
async def _setting(connection: AsyncConnection, settings: Mapping[str, str]) -> AsyncIterator[None]:
    await _set(connection, settings)
    yield
    await _set(connection, dict.fromkeys(settings))


async def _number(connection: AsyncConnection, query: str) -> int:
    return int(await connection.scalar(text(query)) or 0)


async def _set(connection: AsyncConnection, settings: Mapping[str, str | None]) -> None:
    """Set what the planner may do until the end of the transaction; None: the default again."""
    await connection.execute(text(_SET), {"names": list(settings), "settings": list(settings.values())})


async def summarize(connection: AsyncConnection) -> None:
    """Let the index of the entries know of new pages, since each look for an attempt reads all that it does not know.

    Where something else works on the table, such as a vacuum, which does the same, it is left to that.
    """
    # Rolled back for the sake of the timeout; what the index has learnt stays.
    attempted = await connection.begin_nested()
    try:
        for statement in _SUMMARIZE:
            await connection.execute(text(statement))
    except DBAPIError as error:
        if sqlstate(error) not in DENIED:
            raise
    finally:
        await attempted.rollback()


async def summarize_for(connection: AsyncConnection, rows: int) -> None:
    """Do so before an attempt of so many rows is read, unless it is read with all others, which takes no index."""
    if not await are_most_entries(connection, rows):
        await summarize(connection)
