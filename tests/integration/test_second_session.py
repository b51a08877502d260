"""A second session sums what the first one writes; nothing but the time depends on whether there is one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import fast_days, handler, planning, ready, second_session, sums_sql, together
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.compacting import compact
from services.ingest.consumer.levels import LEVELS
from services.ingest.consumer.lifeline import transaction
from shared.database import create_writer, is_transient
from shared.messages import Kind
from tests.support.sent import DAY, START, clicks, send, stat
from tests.support.uploads import Row, batches

pytestmark = pytest.mark.anyio

ENDED_SECONDS = 10.0
DAYS = "SELECT campaign_id, sum(clicks) FROM campaign_day GROUP BY campaign_id"
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'stat_entry'::regclass AND NOT granted)"


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fast_days, together):
        monkeypatch.setattr(module, "LARGE", 2)
    monkeypatch.setattr(planning, "MOST", 10_000)


def looked(said: list[str]) -> bool:
    """Tell whether a second session has looked at anything."""
    return any("LIMIT" in statement and "DISTINCT ad_group_id" in statement for statement in said)


def summed_by_the_first(said: list[str]) -> bool:
    return any("INSERT INTO day_delta" in statement for statement in said)


async def days(engine: AsyncEngine) -> dict[int, int]:
    """Return the clicks of each campaign."""
    async with engine.connect() as connection:
        return {row[0]: int(row[1]) for row in await connection.execute(text(DAYS))}


async def arrive(engine: AsyncEngine, kind: Kind, rows: list[Row], second: float) -> None:
    for batch in batches(kind, rows, START + timedelta(seconds=second)):
        await handler.take(engine, batch)


async def test_the_days_and_new_ad_groups_come_from_the_second_session(engine: AsyncEngine, said: list[str]) -> None:
    await send(engine, [(1, "Tents", 10)], 0, kind=Kind.AD_GROUPS)
    await send(engine, [stat(1, 1), stat(2, 2)], 1)
    assert (looked(said), summed_by_the_first(said)) == (True, False)
    assert await days(engine) == {10: 1, -1: 2}
    assert await clicks(engine) == {1: 1, 2: 2}
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ad_group")) == 2


async def test_of_more_new_ad_groups_than_it_can_tell_the_first_finds_them(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_session, "MOST_NEW", 1)
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ad_group")) == 2


async def test_sums_of_many_pieces_come_whole(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_session, "PIECES", 1)
    count = 40_000
    rows: list[Row] = [(1, DAY - timedelta(number), 1, 0, 1, 0, 0) for number in range(count)]
    await send(engine, rows, 0)
    assert await days(engine) == {-1: count}


async def test_it_sends_no_sums_before_they_are_wanted_and_stays_awake(
    engine: AsyncEngine, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fill, waited = second_session.SecondSession.fill, []

    async def late(second: second_session.SecondSession, connection: AsyncConnection, *where: Any) -> None:
        before = len(said)
        await asyncio.sleep(0.2)
        waited.append(set(said[before:]))
        await fill(second, connection, *where)

    monkeypatch.setattr(second_session, "AWAKE_SECONDS", 0.02)
    monkeypatch.setattr(second_session.SecondSession, "fill", late)
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    assert len(waited) == len(LEVELS)
    assert waited[-1] == {"SELECT"}
    assert await days(engine) == {-1: 3}


async def test_sums_are_copied_where_there_are_none_and_added_where_there_are(
    engine: AsyncEngine, said: list[str]
) -> None:
    """Two days of a week and of a month are sent one after the other; so only the second one finds sums of these."""
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    assert not any("MERGE INTO" in statement for statement in said)
    later: list[Row] = [(number, DAY - timedelta(1), 1, 0, 10, 0, 0) for number in (3, 4)]
    await send(engine, later, 1)
    merged = {level.table for level in LEVELS if any(f"MERGE INTO {level.table} " in statement for statement in said)}
    assert merged == {"campaign_week", "campaign_month"}
    async with engine.connect() as connection:
        sums = {level.table: f"SELECT sum(clicks) FROM {level.table}" for level in LEVELS}
        held = {table: await connection.scalar(text(query)) for table, query in sums.items()}
    assert held == dict.fromkeys(sums, 23)


async def test_without_a_second_session_the_first_does_everything(database_url: str) -> None:
    engine = create_writer(database_url)
    said: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *told: said.append(told[2]))
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 0)
    async with contextlib.AsyncExitStack() as others:
        # All connections but the one that applies are taken.
        for _ in range(7):
            await others.enter_async_context(engine.connect())
        await Applier(engine).apply_ready(wait=False)
    assert (looked(said), summed_by_the_first(said)) == (False, True)
    assert await days(engine) == {-1: 3}
    await engine.dispose()


async def test_where_it_would_have_to_wait_it_is_done_without(
    engine: AsyncEngine, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 0)
    holding: list[asyncio.Task[None]] = []

    async def hold() -> None:
        async with engine.connect() as other:
            await other.execute(text("LOCK TABLE stat_entry IN ACCESS EXCLUSIVE MODE"))

    @contextlib.asynccontextmanager
    async def behind_another(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        # The first session has read the table, so that this one waits for it, and the second would wait for this one.
        holding.append(asyncio.create_task(hold()))
        async with transaction(engine) as connection:
            while not await connection.scalar(text(WAITING)):
                await asyncio.sleep(0)
            yield connection

    monkeypatch.setattr(second_session, "transaction", behind_another)
    async with asyncio.timeout(ENDED_SECONDS):
        await Applier(engine).apply_ready(wait=False)
        await asyncio.gather(*holding)
    assert (len(holding), looked(said), summed_by_the_first(said)) == (1, False, True)
    assert await days(engine) == {-1: 3}


async def test_it_is_asked_for_the_first_attempt_of_a_transaction_only(engine: AsyncEngine, said: list[str]) -> None:
    await arrive(engine, Kind.AD_GROUPS, [(1, "Tents", 10), (2, "Mats", 20)], 0)
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 1)
    await Applier(engine).apply_ready(wait=False)
    assert not looked(said)
    assert await days(engine) == {10: 1, 20: 2}


async def test_it_declines_where_the_first_has_changed_what_it_cannot_see(
    engine: AsyncEngine, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A compaction applies everything in one transaction, in several rounds if there is much."""
    monkeypatch.setattr(ready, "MOST_ROWS", 1)
    await arrive(engine, Kind.AD_GROUPS, [(1, "Tents", 10), (2, "Mats", 20)], 0)
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 1)
    await compact(engine, START, None, lambda _: None)
    assert any("LOCK TABLE dataset" in statement for statement in said)
    assert not looked(said)
    assert await days(engine) == {10: 1, 20: 2}


async def test_what_it_fails_of_fails_the_transaction_and_not_the_upload(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 0)
    with monkeypatch.context() as broken:
        broken.setattr(sums_sql, "keep", lambda _: "SELECT * FROM nothing")
        with pytest.raises(DBAPIError, match="nothing"):
            await Applier(engine).apply_ready(wait=False)
    assert await clicks(engine) == {}
    await Applier(engine).apply_ready(wait=False)
    assert await days(engine) == {-1: 3}


@contextlib.asynccontextmanager
async def summing_for_ever(engine: AsyncEngine) -> AsyncIterator[asyncio.Task[None]]:
    """Have an upload applied, the sums of which take until the end of the context at least."""
    await arrive(engine, Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], 0)
    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(sums_sql, "keep", lambda _: "SELECT pg_sleep(60)")
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until_summing(engine)
        async with asyncio.timeout(ENDED_SECONDS):
            yield applying


async def test_who_stops_does_not_wait_for_it(engine: AsyncEngine) -> None:
    async with summing_for_ever(engine) as applying:
        applying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await applying
    async with asyncio.timeout(ENDED_SECONDS):
        await Applier(engine).apply_ready(wait=True)
    assert await days(engine) == {-1: 3}


async def test_a_second_session_that_is_ended_by_the_server_is_made_up_for(engine: AsyncEngine) -> None:
    async with summing_for_ever(engine) as applying:
        await until_summing(engine, then="pg_terminate_backend(pid)")
        with pytest.raises((DBAPIError, asyncpg.PostgresError, OSError), check=is_transient):
            await applying
    await Applier(engine).apply_ready(wait=True)
    assert await days(engine) == {-1: 3}


async def until_summing(engine: AsyncEngine, then: str = "true") -> None:
    """Wait until both sessions are at the sums, and then do something with the second one."""
    both = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND (query LIKE 'SELECT pg_sleep%' OR query LIKE 'COPY "campaign_day"%')
    """
    async with engine.connect() as connection, asyncio.timeout(ENDED_SECONDS):
        while await connection.scalar(text(both)) < 2:
            await connection.rollback()
            await asyncio.sleep(0.05)
        await connection.execute(text(f"SELECT {then} FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"))
