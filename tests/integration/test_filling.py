"""An empty table is filled before it is indexed, and nothing else about it is different."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import filling, together
from tests.support.sent import clicks, outcome, send, stat

pytestmark = pytest.mark.anyio

UNINDEXED = "DROP CONSTRAINT"
KEY = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = 'ad_group_stat'::regclass AND contype = 'p'
"""


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (filling, together):
        monkeypatch.setattr(module, "LARGE", 2)


async def key(engine: AsyncEngine) -> tuple[str, str]:
    async with engine.connect() as connection:
        name, definition = (await connection.execute(text(KEY))).one()
        return name, definition


async def test_the_first_large_file_is_indexed_afterwards_and_the_second_meanwhile(
    engine: AsyncEngine, said: list[str]
) -> None:
    before = await key(engine)
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    assert sum(UNINDEXED in statement for statement in said) == 1
    await send(engine, [stat(2, 3), stat(3, 4)], 1)
    assert sum(UNINDEXED in statement for statement in said) == 1
    assert await clicks(engine) == {1: 1, 2: 3, 3: 4}
    assert await key(engine) == before


async def test_a_small_file_is_indexed_as_it_is_written(engine: AsyncEngine, said: list[str]) -> None:
    await send(engine, [stat(1, 1)], 0)
    assert not any(UNINDEXED in statement for statement in said)


async def test_a_key_that_comes_twice_fails_the_upload_and_leaves_the_table_as_it_was(
    engine: AsyncEngine, said: list[str]
) -> None:
    before = await key(engine)
    wrong = await send(engine, [stat(1, 1), stat(1, 2)], 0)
    state, reason = await outcome(engine, wrong)
    assert (state, any(UNINDEXED in statement for statement in said)) == ("failed", True)
    assert "unique" in str(reason)
    assert await key(engine) == before
    await send(engine, [stat(1, 1), stat(2, 2)], 1)
    assert await clicks(engine) == {1: 1, 2: 2}


async def test_who_reads_the_table_is_not_waited_for(engine: AsyncEngine, said: list[str]) -> None:
    async with engine.connect() as backup:
        await backup.execute(text("SELECT count(*) FROM ad_group_stat"))
        async with asyncio.timeout(10):
            await send(engine, [stat(1, 1), stat(2, 2)], 0)
    assert await clicks(engine) == {1: 1, 2: 2}
    assert not any(UNINDEXED in statement for statement in said)
