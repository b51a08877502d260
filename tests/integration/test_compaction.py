"""A compaction makes the ledger smaller, changes no number, and is final."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer.compacting import compact, try_out
from shared.messages import Kind, Mode, Origin, Outcome
from tests.support.ledger import current_values
from tests.support.running import command
from tests.support.sent import START, clicks, outcome, send, stat, take_back

pytestmark = pytest.mark.anyio

BEFORE = START + timedelta(seconds=100)


async def compacted(engine: AsyncEngine, second: float = 100) -> list[str]:
    said: list[str] = []
    await compact(engine, START + timedelta(seconds=second), None, said.append)
    return said


async def entries(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM stat_entry")))


async def some_history(engine: AsyncEngine) -> tuple[UUID, UUID]:
    """Send uploads of every kind that say something about the same keys; returns a replaced and an added one."""
    replaced = await send(engine, [stat(1, 1), stat(2, 2)], 1)
    added = await send(engine, [stat(1, 10), stat(3, 30)], 2, mode=Mode.ADD)
    await send(engine, [stat(2, 22)], 3)
    await send(engine, [(1, "Tents", 10), (4, "Mats", 20)], 4, kind=Kind.AD_GROUPS)
    await send(engine, [(10, "Camping", "SEARCH")], 5, kind=Kind.CAMPAIGNS)
    await send(engine, [(10, "Outdoor", None)], 6, kind=Kind.CAMPAIGNS, origin=Origin.RENAME, key="r")
    await send(engine, [stat(1, 5)], 200, mode=Mode.ADD)
    return replaced, added


async def test_no_number_changes_and_the_ledger_gets_smaller(engine: AsyncEngine) -> None:
    await some_history(engine)
    before, had = await current_values(engine), await entries(engine)
    said = await compacted(engine)
    assert "ad_group_stats: folded 3 more; 5 entries become 3." in said
    assert await current_values(engine) == before
    assert (had, await entries(engine)) == (6, 4)
    assert await clicks(engine) == {1: 16, 2: 22, 3: 30}


async def test_a_compacted_upload_cannot_be_taken_back_and_a_later_one_can(engine: AsyncEngine) -> None:
    replaced, _ = await some_history(engine)
    late = await send(engine, [stat(2, 99)], 300)
    await compacted(engine)
    assert await take_back(engine, replaced) is Outcome.COMPACTED
    assert await clicks(engine) == {1: 16, 2: 99, 3: 30}
    assert await take_back(engine, late) is Outcome.REVERTED
    assert await clicks(engine) == {1: 16, 2: 22, 3: 30}


async def test_a_compacted_file_that_is_sent_again_is_the_latest_word(engine: AsyncEngine) -> None:
    replaced, _ = await some_history(engine)
    await compacted(engine)
    assert await send(engine, [stat(1, 1), stat(2, 2)], 400) == replaced
    assert await outcome(engine, replaced) == ("applied", None)
    assert await clicks(engine) == {1: 1, 2: 2, 3: 30}
    assert await take_back(engine, replaced) is Outcome.COMPACTED


async def test_what_was_added_and_compacted_is_not_added_twice(engine: AsyncEngine) -> None:
    _, added = await some_history(engine)
    await compacted(engine)
    await send(engine, [stat(1, 10), stat(3, 30)], 400, mode=Mode.ADD)
    state, reason = await outcome(engine, added)
    assert (state, reason and "would count twice" in reason) == ("failed", True)
    assert await clicks(engine) == {1: 16, 2: 22, 3: 30}


async def test_a_repeat_under_the_key_of_a_compacted_upload_is_still_a_no_op(engine: AsyncEngine) -> None:
    keyed = await send(engine, [stat(1, 1)], 1, mode=Mode.ADD, key="k")
    await compacted(engine)
    assert await send(engine, [stat(1, 1)], 400, mode=Mode.ADD, key="k") == keyed
    assert await outcome(engine, keyed) == ("applied", None)
    assert await clicks(engine) == {1: 1}
    assert await entries(engine) == 1


async def test_what_was_received_before_and_arrives_after_fails_and_is_asked_for_again(engine: AsyncEngine) -> None:
    await some_history(engine)
    await compacted(engine)
    late = await send(engine, [stat(7, 7)], 50)
    state, reason = await outcome(engine, late)
    assert (state, reason and reason.endswith("Send it again.")) == ("failed", True)
    await send(engine, [stat(7, 7)], 150)
    assert (await clicks(engine))[7] == 7


async def test_a_compacted_upload_can_no_longer_be_mended_and_keeps_its_fix(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 1)], 1)
    await send(engine, [stat(2, 2)], 2, fixes=original)
    await compacted(engine)
    fix = await send(engine, [stat(3, 3)], 300, fixes=original)
    state, reason = await outcome(engine, fix)
    assert (state, reason and "Send the whole mended file instead." in reason) == ("failed", True)
    await send(engine, [stat(2, 99)], 400)
    await send(engine, [stat(1, 1)], 500)
    assert await clicks(engine) == {1: 1, 2: 2}


async def test_what_a_fix_mended_is_part_of_the_base(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 1)], 1)
    await send(engine, [stat(2, 2)], 2, fixes=original)
    await compacted(engine)
    late = await send(engine, [stat(2, 5)], 300, mode=Mode.ADD)
    assert await clicks(engine) == {1: 1, 2: 7}
    assert await take_back(engine, late) is Outcome.REVERTED
    assert await clicks(engine) == {1: 1, 2: 2}


async def test_an_upload_that_was_taken_back_before_may_be_sent_again(engine: AsyncEngine) -> None:
    mistake = await send(engine, [stat(1, 1)], 1)
    await send(engine, [stat(2, 2)], 2)
    await take_back(engine, mistake)
    await compacted(engine)
    assert await entries(engine) == 1
    await send(engine, [stat(1, 1)], 90 * 86400)
    assert await clicks(engine) == {1: 1, 2: 2}


async def test_compacting_again_folds_the_base_with_what_came_after(engine: AsyncEngine) -> None:
    await some_history(engine)
    await compacted(engine)
    before = await current_values(engine)
    assert "ad_group_stats: folded 1 more; 4 entries become 3." in await compacted(engine, 250)
    assert await current_values(engine) == before
    assert await compacted(engine, 250) == [
        "Everything before 2026-01-01 is compacted already.",
        "Letting the space be used again.",
    ]


async def test_a_try_says_the_same_and_changes_nothing(engine: AsyncEngine) -> None:
    replaced, _ = await some_history(engine)
    said: list[str] = []
    await try_out(engine, BEFORE, None, said.append)
    assert "ad_group_stats: folded 3 more; 5 entries become 3." in said
    assert await entries(engine) == 6
    assert await take_back(engine, replaced) is Outcome.REVERTED


async def test_the_command_compacts_and_says_so(engine: AsyncEngine, database_url: str) -> None:
    await some_history(engine)
    done = command("compact", "--before", "2026-01-02", settings={"ADLEDGER_DATABASE_URL": database_url})
    assert (done.returncode, done.stderr) == (0, "")
    assert "ad_group_stats: folded 4 more; 6 entries become 3." in done.stdout
    assert "every number is the same" in done.stdout
    assert await clicks(engine) == {1: 16, 2: 22, 3: 30}


@pytest.mark.parametrize(
    ("day", "url", "status", "said"),
    [
        ("2999-01-01", "postgresql://x@127.0.0.1:1/x", 2, "Give a day that has begun"),
        ("2026-01-01", "", 2, "Set ADLEDGER_DATABASE_URL"),
        ("2026-01-01", "postgresql://x@127.0.0.1:1/x", 3, "The database does not answer"),
        ("January", "postgresql://x@127.0.0.1:1/x", 2, "January"),
    ],
)
def test_the_command_refuses_what_it_cannot_do_with_a_reason(day: str, url: str, status: int, said: str) -> None:
    done = command("compact", "--before", day, settings={"ADLEDGER_DATABASE_URL": url})
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
