"""Mended rows complete the file they come from, as if it had been right the first time."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messages import Kind, Mode, Origin
from tests.support.sent import LATER, START, clicks, outcome, send, stat, take_back
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio


async def test_mended_rows_are_added_to_those_of_the_same_key(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10), stat(2, 20)], 1)
    await send(engine, [stat(1, 5), stat(3, 30)], 2, fixes=original)
    assert await clicks(engine) == {1: 15, 2: 20, 3: 30}


async def test_a_fix_stands_where_its_original_stands(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10)], 1)
    await send(engine, [stat(2, 99)], 2)
    await send(engine, [stat(2, 20)], 3, fixes=original)
    assert await clicks(engine) == {1: 10, 2: 99}
    await send(engine, [stat(1, 10)], 4)
    assert await clicks(engine) == {1: 10, 2: 20}


async def test_a_fix_that_arrives_before_its_original_waits_for_it(engine: AsyncEngine) -> None:
    original = batches(Kind.AD_GROUP_STATS, [stat(1, 10)], START)[0].manifest.upload_id
    fix = await send(engine, [stat(2, 20)], 2, fixes=original)
    assert await outcome(engine, fix) == ("complete", None)
    assert await clicks(engine) == {}
    assert await send(engine, [stat(1, 10)], 3) == original
    assert await outcome(engine, fix) == ("applied", None)
    assert await clicks(engine) == {1: 10, 2: 20}


async def test_of_several_fixes_the_latest_counts_until_it_is_taken_back(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10)], 1)
    await send(engine, [stat(2, 20)], 2, fixes=original)
    latest = await send(engine, [stat(3, 30)], 3, fixes=original)
    assert await clicks(engine) == {1: 10, 3: 30}
    await take_back(engine, latest)
    assert await clicks(engine) == {1: 10, 2: 20}


async def test_a_fix_goes_with_its_original_and_comes_back_with_it(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10)], 1)
    await send(engine, [stat(2, 20)], 2, fixes=original)
    await take_back(engine, original)
    assert await clicks(engine) == {}
    await send(engine, [stat(1, 10)], LATER)
    assert await clicks(engine) == {1: 10, 2: 20}


async def test_the_rejected_rows_of_a_fix_can_be_mended_too(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10)], 1)
    fix = await send(engine, [stat(2, 20)], 2, fixes=original)
    await send(engine, [stat(3, 30)], 3, fixes=fix)
    assert await clicks(engine) == {1: 10, 2: 20, 3: 30}


async def test_what_a_fix_says_of_a_campaign_is_the_later_word(engine: AsyncEngine) -> None:
    original = await send(engine, [(10, "Tents", "SEARCH")], 1, kind=Kind.CAMPAIGNS)
    await send(engine, [(10, None, "DISPLAY"), (20, "Mats", None)], 2, kind=Kind.CAMPAIGNS, fixes=original)
    async with engine.connect() as connection:
        rows = await connection.exec_driver_sql("SELECT campaign_id, name, type FROM campaign ORDER BY 1")
        assert [tuple(row) for row in rows] == [(10, "Tents", "DISPLAY"), (20, "Mats", None)]


async def test_a_fix_of_another_kind_or_mode_fails_and_both_are_named(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 10)], 1)
    wrong_kind = await send(engine, [(10, "Tents", None)], 2, kind=Kind.CAMPAIGNS, fixes=original)
    wrong_mode = await send(engine, [stat(1, 5)], 3, mode=Mode.ADD, fixes=original)
    assert await outcome(engine, wrong_kind) == (
        "failed",
        f"It holds campaigns (upsert), but {original}, which it is to mend, holds ad_group_stats (upsert).",
    )
    assert await outcome(engine, wrong_mode) == (
        "failed",
        f"It holds ad_group_stats (add), but {original}, which it is to mend, holds ad_group_stats (upsert).",
    )
    assert await clicks(engine) == {1: 10}


async def test_a_rename_has_nothing_to_mend(engine: AsyncEngine) -> None:
    rename = await send(engine, [(10, "Tents", None)], 1, kind=Kind.CAMPAIGNS, origin=Origin.RENAME)
    fix = await send(engine, [(10, "Mats", None)], 2, kind=Kind.CAMPAIGNS, fixes=rename)
    assert await outcome(engine, fix) == ("failed", f"{rename} is no file, and has no rows to mend.")


async def test_what_mends_a_file_that_was_sent_again_stays_above_what_came_in_between(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 1)], 1)
    await send(engine, [stat(5, 2)], 2, fixes=original)
    assert await send(engine, [stat(1, 1)], 20) == original
    # Near the fix only, which has the place of what it mends.
    await send(engine, [stat(5, 9)], 10)
    assert await clicks(engine) == {1: 1, 5: 2}
