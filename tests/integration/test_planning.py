"""What is told to the planner holds for the statements it is meant for, and no longer."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer.planning import LARGE, planned, summarize

pytestmark = pytest.mark.anyio

ENTRIES = """
    INSERT INTO stat_entry
    SELECT attempt, n, '2026-01-01', 1, 0, 0, 0, 0 FROM generate_series(1, 60) attempt, generate_series(1, 2000) n
"""
OF_ONE = "SELECT sum(clicks) FROM stat_entry WHERE attempt_id = 7"


async def pages_read(connection: AsyncConnection) -> int:
    explained = await connection.scalar(text(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {OF_ONE}"))
    plan = explained[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def setting(connection: AsyncConnection, name: str) -> str:
    return str(await connection.scalar(text(f"SELECT current_setting('{name}')")))


async def test_a_small_attempt_among_many_is_found_without_reading_the_others(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(ENTRIES))
        pages = int(await connection.scalar(text("SELECT pg_relation_size('stat_entry') / 8192")) or 0)
    async with engine.begin() as connection, planned(connection, rows=2000):
        unknown = await pages_read(connection)
        await summarize(connection)
        known = await pages_read(connection)
    assert unknown >= pages > 1000
    assert known < pages / 3


async def test_what_is_planned_within_ends_with_it(engine: AsyncEngine) -> None:
    names = ("enable_seqscan", "enable_nestloop", "work_mem", "plan_cache_mode", "lock_timeout")
    async with engine.begin() as connection:
        before = [await setting(connection, name) for name in names]
        async with planned(connection, rows=0):
            assert await setting(connection, "enable_seqscan") == "off"
        async with planned(connection, rows=LARGE):
            assert await setting(connection, "enable_nestloop") == "off"
        await summarize(connection)
        assert [await setting(connection, name) for name in names] == before


async def test_who_holds_the_table_is_not_waited_for(engine: AsyncEngine) -> None:
    async with engine.begin() as other, engine.begin() as connection:
        await other.execute(text("LOCK TABLE stat_entry IN SHARE UPDATE EXCLUSIVE MODE"))
        await summarize(connection)
        assert await connection.scalar(text("SELECT count(*) FROM stat_entry")) == 0


async def test_a_role_that_does_not_own_the_table_applies_without_it(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("CREATE ROLE stranger"))
        await connection.execute(text("SET LOCAL ROLE stranger"))
        await summarize(connection)
        assert await connection.scalar(text("SELECT current_user")) == "stranger"
        await connection.rollback()
