"""While one applies, another already writes what comes next; nobody can tell but by the time, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import ahead as ahead_steps
from services.ingest.consumer import applier, commands, fast_days, handler, planning, ready, together
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.compacting import compact
from shared.database import AHEAD_LOCK, APPLIERS_LOCK, is_transient
from shared.messages import Kind, Mode, Outcome, Revert, Reverted
from tests.support.sent import START, clicks, outcome, send, stat
from tests.support.uploads import Row, batches

pytestmark = pytest.mark.anyio

SECONDS = 15.0
OURS = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
WAITING = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND {OURS}"
CLAIMS = (
    f"SELECT count(*) FROM pg_locks WHERE classid = {ready.CLAIMS} AND mode = 'ExclusiveLock' AND granted AND {OURS}"
)

CLAIM = f"SELECT pg_advisory_xact_lock(({ready.CLAIMS}::bigint << 32) | id) FROM attempt WHERE upload_id = :id"


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (planning, fast_days, together):
        monkeypatch.setattr(module, "LARGE", 2)


@pytest.fixture
def inserts(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements by which attempts are inserted, each time."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().startswith("INSERT INTO ad_group_stat ("):
            statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine.sync_engine, "before_cursor_execute", note)


async def arrive(engine: AsyncEngine, rows: list[Row], second: float, **told: Any) -> UUID:
    """Let a file be complete, which nobody applies yet; return its id."""
    sent = batches(told.pop("kind", Kind.AD_GROUP_STATS), rows, START + timedelta(seconds=second), **told)
    for batch in sent:
        await handler.take(engine, batch)
    return sent[0].manifest.upload_id


async def count(engine: AsyncEngine, query: str) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text(query)) or 0)


async def until(engine: AsyncEngine, query: str, number: int) -> None:
    """Wait until a query counts so many."""
    async with asyncio.timeout(SECONDS):
        while await count(engine, query) != number:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def turn_of_another(engine: AsyncEngine) -> AsyncIterator[None]:
    """Hold the turn, as another consumer does while it applies."""
    async with engine.begin() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": APPLIERS_LOCK})
        yield


@asynccontextmanager
async def ahead(engine: AsyncEngine) -> AsyncIterator[None]:
    """Have a consumer write ahead what is complete; at the end of the context it has its turn, and is waited for."""
    async with turn_of_another(engine):
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until(engine, WAITING, 1)
        yield
    async with asyncio.timeout(SECONDS):
        await applying


async def take_back(engine: AsyncEngine, upload_id: UUID) -> Outcome:
    command = Revert(revert_id=uuid4(), upload_id=upload_id, requested_at=START + timedelta(days=30))
    answer = await commands.obey(engine, Applier(engine), command)
    assert isinstance(answer, Reverted)
    return answer.outcome


async def campaigns(engine: AsyncEngine) -> int:
    return await count(engine, "SELECT sum(clicks) FROM campaign_day")


async def some_backlog(engine: AsyncEngine) -> list[UUID]:
    """Let two uploads be complete, one that shares a key with what there is, and one that shares nothing."""
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    return [await arrive(engine, [stat(2, 20), stat(3, 3)], 2), await arrive(engine, [stat(4, 4), stat(5, 5)], 4)]


AFTERWARDS = {1: 1, 2: 20, 3: 3, 4: 4, 5: 5}


async def test_what_was_written_ahead_counts_with_its_turn_and_is_not_written_again(
    engine: AsyncEngine, inserts: list[str]
) -> None:
    uploads = await some_backlog(engine)
    inserts.clear()
    async with ahead(engine):
        assert (len(inserts), await count(engine, CLAIMS)) == (2, 2)
        assert await clicks(engine) == {1: 1, 2: 2}
    assert len(inserts) == 2
    assert [await outcome(engine, each) for each in uploads] == [("applied", None)] * 2
    assert await clicks(engine) == AFTERWARDS
    assert await campaigns(engine) == sum(AFTERWARDS.values())
    assert await count(engine, "SELECT sum(keys_new * 10 + keys_changed) FROM attempt") == 20 + 11 + 20


async def test_what_another_is_about_to_apply_is_passed_over(engine: AsyncEngine, inserts: list[str]) -> None:
    first, second = await some_backlog(engine)
    inserts.clear()
    async with engine.begin() as other:
        await other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": APPLIERS_LOCK})
        await other.execute(text(CLAIM), {"id": first})
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until(engine, WAITING, 1)
        assert (len(inserts), await count(engine, CLAIMS)) == (1, 2)
    # The other has given up, so that there is now something to apply before what was written.
    async with asyncio.timeout(SECONDS):
        await applying
    assert await outcome(engine, second) == ("applied", None)
    assert await clicks(engine) == AFTERWARDS


async def test_what_another_has_claimed_is_left_to_it_with_all_that_follows(engine: AsyncEngine) -> None:
    first, second = await some_backlog(engine)
    async with engine.begin() as other:
        await other.execute(text(CLAIM), {"id": first})
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until(engine, WAITING, 1)
        assert await outcome(engine, second) == ("complete", None)
    async with asyncio.timeout(SECONDS):
        await applying
    assert await clicks(engine) == AFTERWARDS


async def test_what_comes_before_it_meanwhile_is_applied_before_it(engine: AsyncEngine) -> None:
    await some_backlog(engine)
    async with ahead(engine):
        # The same keys, so that they would be in each other's way.
        await arrive(engine, [stat(3, 30), stat(4, 40), stat(5, 50)], 1)
    assert await clicks(engine) == AFTERWARDS
    assert await campaigns(engine) == sum(AFTERWARDS.values())
    assert await count(engine, "SELECT count(*) FROM attempt WHERE state = 'applied'") == 4


async def test_what_was_applied_before_it_by_another_version_is_not_written_again(engine: AsyncEngine) -> None:
    """A consumer of an older version knows nothing of claims."""
    await some_backlog(engine)
    async with ahead(engine), engine.begin() as other:
        await other.execute(text("UPDATE attempt SET state = 'failed', reason = 'x' WHERE state = 'complete'"))
    assert await clicks(engine) == {1: 1, 2: 2}
    assert await campaigns(engine) == 3


async def test_what_it_stands_beside_is_taken_back_meanwhile(engine: AsyncEngine) -> None:
    shared = await send(engine, [stat(1, 1), stat(2, 2)], 0)
    await arrive(engine, [stat(2, 20), stat(3, 3)], 2, mode=Mode.ADD)
    async with ahead(engine):
        taking_back = asyncio.create_task(take_back(engine, shared))
        await until(engine, WAITING, 2)
    assert await asyncio.wait_for(taking_back, SECONDS) is Outcome.REVERTED
    assert await clicks(engine) == {2: 20, 3: 3}
    assert await campaigns(engine) == 23


async def test_it_is_itself_taken_back_meanwhile(engine: AsyncEngine) -> None:
    first, second = await some_backlog(engine)
    async with ahead(engine):
        taking_back = asyncio.create_task(take_back(engine, second))
        await until(engine, WAITING, 2)
    assert await asyncio.wait_for(taking_back, SECONDS) is Outcome.REVERTED
    assert await outcome(engine, first) == ("applied", None)
    assert await clicks(engine) == {1: 1, 2: 20, 3: 3}
    assert await campaigns(engine) == 24


async def test_who_waits_for_everything_waits_for_what_is_written_ahead_too(engine: AsyncEngine) -> None:
    await some_backlog(engine)
    last = await arrive(engine, [stat(1, 100)], 6)
    async with ahead(engine):
        waiting = asyncio.create_task(Applier(engine).apply_ready(wait=True))
        await until(engine, WAITING, 2)
    async with asyncio.timeout(SECONDS):
        await waiting
        assert await outcome(engine, last) == ("applied", None)
    assert await clicks(engine) == {**AFTERWARDS, 1: 100}


async def test_a_compaction_waits_and_then_finds_everything(engine: AsyncEngine) -> None:
    await some_backlog(engine)
    async with ahead(engine):
        compacting = asyncio.create_task(compact(engine, START + timedelta(days=1), None, lambda _: None))
        await until(engine, WAITING, 2)
    async with asyncio.timeout(SECONDS):
        await compacting
    assert await count(engine, "SELECT count(*) FROM attempt WHERE state <> 'applied'") == 0
    assert await clicks(engine) == AFTERWARDS


async def test_nobody_writes_ahead_of_a_migration_or_a_command_that_waits(engine: AsyncEngine) -> None:
    await some_backlog(engine)
    async with engine.begin() as migration:
        for lock in (AHEAD_LOCK, APPLIERS_LOCK):
            await migration.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        async with asyncio.timeout(SECONDS):
            await Applier(engine).apply_ready(wait=False)
        assert await count(engine, CLAIMS) == 0


async def test_one_that_cannot_be_written_is_told_so_in_its_turn(engine: AsyncEngine) -> None:
    await send(engine, [stat(1, 1)], 0)
    good = await arrive(engine, [stat(2, 2), stat(3, 3)], 1)
    twice = await arrive(engine, [stat(4, 4), stat(4, 5)], 2)
    last = await arrive(engine, [stat(5, 5), stat(6, 6)], 3)
    async with ahead(engine):
        assert await count(engine, CLAIMS) == 2
    assert (await outcome(engine, twice))[0] == "failed"
    assert [await outcome(engine, each) for each in (good, last)] == [("applied", None)] * 2
    assert await campaigns(engine) == 17


async def test_one_whose_sums_are_wrong_fails_alone(engine: AsyncEngine) -> None:
    _, second = await some_backlog(engine)
    async with engine.begin() as connection:
        wrong = "UPDATE attempt SET total_clicks = 1 WHERE upload_id = :id"
        await connection.execute(text(wrong), {"id": second})
    async with ahead(engine):
        pass
    assert (await outcome(engine, second))[0] == "failed"
    assert await clicks(engine) == {1: 1, 2: 20, 3: 3}
    assert await campaigns(engine) == 24


async def test_what_one_wrote_that_was_killed_is_written_by_another(engine: AsyncEngine) -> None:
    await some_backlog(engine)
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = {ready.CLAIMS} AND {OURS} LIMIT 1"
    async with turn_of_another(engine):
        applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until(engine, WAITING, 1)
        await count(engine, kill)
        await until(engine, CLAIMS, 0)
        with pytest.raises((DBAPIError, OSError), check=is_transient):
            await applying
    await Applier(engine).apply_ready(wait=False)
    assert await clicks(engine) == AFTERWARDS
    assert await campaigns(engine) == sum(AFTERWARDS.values())


async def test_who_waits_for_too_long_lets_go(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applier, "LONG_WAIT", "200ms")
    await some_backlog(engine)
    async with turn_of_another(engine), asyncio.timeout(SECONDS):
        with pytest.raises(DBAPIError, check=is_transient):
            await Applier(engine).apply_ready(wait=False)
        assert await count(engine, CLAIMS) == 0
    assert await clicks(engine) == {1: 1, 2: 2}
    await Applier(engine).apply_ready(wait=False)
    assert await clicks(engine) == AFTERWARDS


async def test_what_was_claimed_and_cannot_be_written_is_not_left_lying(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another looks between the claim and the failure, and leaves it to the one that has claimed it."""
    await send(engine, [stat(1, 1)], 0)
    twice = await arrive(engine, [stat(4, 4), stat(4, 5)], 2)
    last = await arrive(engine, [stat(5, 5), stat(6, 6)], 3)
    failed, looked = asyncio.Event(), asyncio.Event()
    write = ahead_steps._try_write

    async def slowly(*told: Any) -> Any:
        written = await write(*told)
        failed.set()
        await looked.wait()
        return written

    monkeypatch.setattr(ahead_steps, "_try_write", slowly)
    async with asyncio.timeout(SECONDS):
        async with turn_of_another(engine):
            applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
            await failed.wait()
            monkeypatch.setattr(ahead_steps, "_try_write", write)
        looking = asyncio.create_task(Applier(engine).apply_ready(wait=False))
        await until(engine, WAITING, 1)
        looked.set()
        await asyncio.gather(applying, looking)
    assert [(await outcome(engine, each))[0] for each in (twice, last)] == ["failed", "applied"]


@pytest.mark.parametrize("blocked", ["first", "last"])
async def test_what_comes_before_it_while_it_is_written_is_in_nobodys_way(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, blocked: str
) -> None:
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    await arrive(engine, [stat(4, 4), stat(5, 5)], 4)
    written, looked = asyncio.Event(), asyncio.Event()
    write = ahead_steps.write

    async def slowly(connection: AsyncConnection) -> Any:
        done = await write(connection)
        written.set()
        await looked.wait()
        return done

    monkeypatch.setattr(ahead_steps, "write", slowly)
    async with asyncio.timeout(2 * SECONDS):
        async with turn_of_another(engine):
            applying = asyncio.create_task(Applier(engine).apply_ready(wait=False))
            await written.wait()
        before = await arrive(engine, [stat(3, 30), stat(4, 40)], 2)
        if blocked == "first":
            looked.set()
        monkeypatch.setattr(ahead_steps, "write", write)
        await Applier(engine).apply_ready(wait=False)
        looked.set()
        await applying
        await Applier(engine).apply_ready(wait=False)
    assert await outcome(engine, before) == ("applied", None)
    assert await clicks(engine) == {1: 1, 2: 2, 3: 30, 4: 4, 5: 5}
    assert await campaigns(engine) == 42


async def test_a_compaction_claims_nothing(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It applies a whole backlog in one transaction, which would hold a lock for each attempt to its end."""
    await some_backlog(engine)
    taken: list[int] = []
    monkeypatch.setattr(ready, "claim", taken.append)
    await compact(engine, START, None, lambda _: None)
    assert taken == []
    assert await clicks(engine) == AFTERWARDS


async def test_two_take_a_backlog_in_turns(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MOST_ROWS", 4)
    await send(engine, [stat(1, 1), stat(2, 2)], 0)
    for number in range(20):
        await arrive(engine, [stat(number + 2, 10 + number), stat(number + 3, number)], number + 1)
    async with asyncio.timeout(4 * SECONDS):
        await asyncio.gather(*(Applier(engine).apply_ready(wait=False) for _ in range(3)))
        await Applier(engine).apply_ready(wait=True)
    assert await clicks(engine) == {1: 1} | {number + 2: 10 + number for number in range(20)} | {22: 19}
    assert await campaigns(engine) == sum((await clicks(engine)).values())


async def test_who_may_neither_apply_nor_write_ahead_looks_again_unwoken(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while the first file of all is applied: there is nothing yet that others could write beside."""
    looks: list[str] = []
    monkeypatch.setattr(applier, "IDLE_SECONDS", 10 * SECONDS)
    await arrive(engine, [stat(1, 1), stat(2, 2)], 0)
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *told: looks.append(told[2]))
    async with asyncio.timeout(SECONDS), Applier(engine).running():
        async with turn_of_another(engine):
            while sum("FROM campaign_day)" in look for look in looks) < 2:
                await asyncio.sleep(0.02)
        while await clicks(engine) != {1: 1, 2: 2}:
            await asyncio.sleep(0.02)
