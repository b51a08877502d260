"""An applier that waits for its turn writes ahead, and what others do meanwhile decides whether that holds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import ahead, claims, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.applying import apply_everything
from shared.database import AHEAD_LOCK, APPLIERS_LOCK, is_transient
from shared.messages import Kind, Mode
from tests.support.sent import DAY, START, clicks, outcome, send, stat
from tests.support.turns import lock
from tests.support.uploads import batches
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

Log = pytest.LogCaptureFixture

OVERTAKEN = "Applying again, behind the others"


@pytest.fixture(autouse=True)
def _small_ones_count_as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)


@pytest.fixture
def said(caplog: Log) -> Log:
    caplog.set_level(logging.INFO)
    return caplog


async def arrive(engine: AsyncEngine, rows: Sequence[Any], second: float, **told: Any) -> UUID:
    """Let a file be complete that was received so many seconds after the start; return its id."""
    sent = batches(Kind.AD_GROUP_STATS, rows, START + timedelta(seconds=second), **told)
    for batch in sent:
        await handler.take(engine, batch)
    return sent[0].manifest.upload_id


async def behind(engine: AsyncEngine, meanwhile: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    """Let an applier write ahead while another, in whose transaction `meanwhile` happens, has its turn."""
    async with engine.begin() as other:
        await lock(other, wait=True)
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await eventually(lambda: _waits(engine))
        await meanwhile(other)
    await applying


async def _waits(engine: AsyncEngine) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_locks WHERE objid = :lock AND locktype = 'advisory' AND NOT granted)"
    async with engine.connect() as connection:
        return bool(await connection.scalar(text(query), {"lock": APPLIERS_LOCK}))


async def nothing(_: AsyncConnection) -> None:
    """Do nothing."""


async def apply(connection: AsyncConnection) -> None:
    """Apply what can be claimed."""
    claimed = await claims.claim(connection)
    await apply_everything(connection, await claims.still_ready(connection, claimed.rows))


async def counts(engine: AsyncEngine, upload: UUID) -> tuple[int, int]:
    """Return how many keys an upload gave a value, and how many another value."""
    async with engine.connect() as connection:
        query = "SELECT keys_new, keys_changed FROM attempt WHERE upload_id = :id"
        row = (await connection.execute(text(query), {"id": upload})).one()
        return row.keys_new, row.keys_changed


async def day(engine: AsyncEngine) -> int:
    """Return the clicks that the rollup has."""
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT sum(clicks) FROM campaign_day")) or 0)


async def test_what_nobody_else_has_a_say_in_is_written_before_its_turn(engine: AsyncEngine, said: Log) -> None:
    await send(engine, [stat(1, 1), stat(2, 1)], 0)
    upload = await arrive(engine, [stat(2, 5), stat(3, 5), stat(4, 5)], 1)

    async def look(other: AsyncConnection) -> None:
        # Nobody sees the rows, but whoever writes one of them has to wait.
        assert await other.scalar(text("SELECT count(*) FROM ad_group_stat")) == 2
        await other.execute(text("SET LOCAL lock_timeout = '50ms'"))
        attempted = await other.begin_nested()
        with pytest.raises(DBAPIError, match="lock timeout"):
            await other.execute(text(f"INSERT INTO ad_group_stat VALUES (4, '{DAY}', 1, 0, 0, 0, 0)"))
        await attempted.rollback()

    await behind(engine, look)
    assert await clicks(engine) == {1: 1, 2: 5, 3: 5, 4: 5}
    assert await day(engine) == 16
    assert await counts(engine, upload) == (2, 1)
    assert OVERTAKEN not in said.text


async def test_two_in_a_row_are_applied_in_the_order_of_their_places(engine: AsyncEngine, said: Log) -> None:
    await arrive(engine, [stat(3, 9), stat(4, 9), stat(5, 9)], 2)
    await arrive(engine, [stat(1, 1), stat(2, 1), stat(3, 1)], 1)
    await behind(engine, nothing)
    assert await clicks(engine) == {1: 1, 2: 1, 3: 9, 4: 9, 5: 9}
    assert await day(engine) == 29
    assert OVERTAKEN not in said.text


@pytest.mark.parametrize("second", [0, 2], ids=["earlier", "later"])
@pytest.mark.parametrize("mode", Mode)
async def test_an_upload_that_comes_between_is_told_apart(
    engine: AsyncEngine, said: Log, mode: Mode, second: float
) -> None:
    await arrive(engine, [stat(1, 1), stat(3, 1)], 1)

    async def overtake(other: AsyncConnection) -> None:
        await arrive(engine, [stat(2, 5), stat(0, 5)], second, mode=mode)
        await apply(other)

    await behind(engine, overtake)
    assert await clicks(engine) == {0: 5, 1: 1, 2: 5, 3: 1}
    assert await day(engine) == 12
    assert OVERTAKEN in said.text


async def test_two_that_write_the_same_key_do_not_wait_for_each_other_for_ever(engine: AsyncEngine) -> None:
    await arrive(engine, [stat(1, 1)], 1)

    async def collide(other: AsyncConnection) -> None:
        await arrive(engine, [stat(1, 5), stat(2, 5)], 2)
        await apply(other)

    with pytest.raises(DBAPIError, match="deadlock") as raised:
        await behind(engine, collide)
    assert is_transient(raised.value)
    await Applier(engine).apply_ready(wait=True)
    assert await clicks(engine) == {1: 5, 2: 5}
    assert await day(engine) == 10


async def test_a_key_that_another_commits_first_is_no_fault_of_the_upload(engine: AsyncEngine, said: Log) -> None:
    await arrive(engine, [stat(1, 5), stat(2, 5)], 2)
    async with engine.begin() as other:
        await lock(other, wait=True)
        await apply(other)
        # Claimed later, though it comes before; so what is not committed yet is not looked at.
        early = await arrive(engine, [stat(1, 1), stat(3, 1)], 1)
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await eventually(lambda: _waits_for_a_row(engine))
    await applying
    assert await clicks(engine) == {1: 5, 2: 5, 3: 1}
    assert await outcome(engine, early) == ("applied", None)
    assert OVERTAKEN in said.text


async def _waits_for_a_row(engine: AsyncEngine) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)"
    async with engine.connect() as connection:
        return bool(await connection.scalar(text(query)))


async def test_what_is_refused_in_the_end_leaves_nothing(engine: AsyncEngine) -> None:
    (batch,) = batches(Kind.AD_GROUP_STATS, [stat(1, 1)], START)
    manifest = replace(batch.manifest, totals=replace(batch.manifest.totals, clicks=Decimal(7)))
    await handler.take(engine, replace(batch, manifest=manifest))
    await behind(engine, nothing)
    state, reason = await outcome(engine, batch.manifest.upload_id)
    assert (state, reason) == ("failed", "Announced total_clicks 7, but received 1.")
    assert await clicks(engine) == {}


async def test_what_was_taken_back_meanwhile_does_not_count(engine: AsyncEngine, said: Log) -> None:
    upload = await arrive(engine, [stat(1, 1)], 1)

    async def take_back(other: AsyncConnection) -> None:
        await other.execute(
            text("INSERT INTO revert (id, upload_id, requested_at) VALUES (gen_random_uuid(), :id, '2030-01-01')"),
            {"id": upload},
        )
        await apply(other)

    await behind(engine, take_back)
    assert await clicks(engine) == {}
    assert OVERTAKEN in said.text


async def test_each_applier_claims_what_no_other_has(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "MOST_UPLOADS", 1)
    for number in range(3):
        await arrive(engine, [stat(number, 1)], number)
    async with engine.connect() as first, engine.connect() as second, engine.connect() as third:
        claimed = [await claims.claim(each) for each in (first, second, third, third)]
        ids = [attempt for one in claimed[:3] for attempt in one.rows]
        assert ids == await places(engine)
        assert [list(one.before) for one in claimed] == [[], ids[:1], ids[:2], ids[:2]]
        await second.rollback()
        async with engine.connect() as fourth:
            monkeypatch.setattr(claims, "MOST_UPLOADS", 9)
            found = await claims.claim(fourth)
            # The third is somebody's, and nothing after it may be applied before it.
            assert (list(found.rows), found.before) == (ids[1:2], ids[:1])


async def places(engine: AsyncEngine) -> list[int]:
    """Return the ids of all attempts, in the order of their places."""
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT id FROM attempt ORDER BY received_at"))).scalars())


async def test_what_another_applies_without_a_claim_is_applied_once(engine: AsyncEngine) -> None:
    upload = await arrive(engine, [stat(1, 1), stat(2, 1)], 1)
    async with engine.begin() as other:
        await lock(other, wait=True)
        (attempt,) = await claims.still_ready(other, await places(engine))
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=True))
        await eventually(lambda: _waits(engine))
        # As consumers do whose version knows no claims.
        await apply_everything(other, [attempt])
    await applying
    assert await clicks(engine) == {1: 1, 2: 1}
    assert await day(engine) == 2
    assert await counts(engine, upload) == (2, 0)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM stat_entry")) == 2


async def test_nobody_writes_ahead_of_a_migration(engine: AsyncEngine) -> None:
    await arrive(engine, [stat(1, 1)], 1)
    async with engine.begin() as migrating:
        for each in (AHEAD_LOCK, APPLIERS_LOCK):
            await migrating.execute(text(f"SELECT pg_advisory_xact_lock({each})"))
        async with asyncio.timeout(15):
            await Applier(engine).apply_ready(wait=False)
        # A migration would wait here for whoever had written.
        await migrating.execute(text("LOCK TABLE ad_group_stat IN ACCESS EXCLUSIVE MODE NOWAIT"))
    assert await clicks(engine) == {}
