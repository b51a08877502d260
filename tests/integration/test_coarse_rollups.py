"""The coarser rollups, where consumers have been at work that know nothing of them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import coarse, fast_days, handler, planning, ready, together
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.compacting import compact
from shared.messages import Kind
from tests.support.coarse import coarsen
from tests.support.ledger import coarse_values, current_values
from tests.support.uploads import Row, batches

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, tzinfo=UTC)


async def upload(engine: AsyncEngine, ad_group: int) -> None:
    """Apply a file with a day of January, and one of February."""
    rows = [(ad_group, date(2026, 1, 1) + timedelta(ad_group + 31 * n), 1, 10, 1, 0, 1_500_000) for n in range(2)]
    for batch in batches(Kind.AD_GROUP_STATS, rows, NOW + timedelta(seconds=ad_group)):
        await handler.take(engine, batch)
    await Applier(engine).apply_ready(wait=True)


async def upload_as_before(engine: AsyncEngine, ad_group: int) -> None:
    """Apply a file the way it was done when there were only days."""

    async def nothing(_: AsyncConnection) -> None:
        return None

    async with engine.connect() as connection:
        known = await connection.scalar(text("SELECT coarse_version FROM dataset"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coarse, "refresh", nothing)
        await upload(engine, ad_group)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE dataset SET coarse_version = :known"), {"known": known})


async def test_what_consumers_of_before_have_applied_is_summed_with_the_next_upload(engine: AsyncEngine) -> None:
    await upload(engine, 1)
    await upload_as_before(engine, 9)
    await upload(engine, 2)
    days = (await current_values(engine))["rollup"]
    assert len(days) == 6
    assert await coarse_values(engine) == coarsen(days)


async def test_an_applier_that_finds_nothing_to_apply_still_sums_them(engine: AsyncEngine) -> None:
    await upload(engine, 1)
    await upload_as_before(engine, 9)
    assert await coarse_values(engine) != coarsen((await current_values(engine))["rollup"])
    await Applier(engine).apply_ready(wait=False)
    assert await coarse_values(engine) == coarsen((await current_values(engine))["rollup"])


async def test_nothing_is_summed_where_nothing_is_behind(engine: AsyncEngine) -> None:
    await upload(engine, 1)
    version = text("SELECT version FROM dataset")
    async with engine.connect() as connection:
        before = await connection.scalar(version)
        await Applier(engine).apply_ready(wait=True)
        assert await connection.scalar(version) == before


@pytest.mark.parametrize("large", [2, 1000], ids=["one by one", "together"])
async def test_what_several_rounds_of_a_transaction_apply_is_counted_once(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """A compaction applies a deep backlog in one transaction, in rounds as the applier would."""
    monkeypatch.setattr(ready, "MOST_ROWS", 1)
    for module in (fast_days, planning, together):
        monkeypatch.setattr(module, "LARGE", large)
    await upload(engine, 1)
    for ad_group in (2, 3, 4):
        rows: list[Row] = [(ad_group, date(2026, 1, 2 + day), 1, 10, ad_group, 0, 1) for day in range(3)]
        for batch in batches(Kind.AD_GROUP_STATS, rows, NOW + timedelta(seconds=60 + ad_group)):
            await handler.take(engine, batch)
    await compact(engine, NOW - timedelta(days=1), None, lambda _: None)
    days = (await current_values(engine))["rollup"]
    assert await coarse_values(engine) == coarsen(days)
    async with engine.connect() as connection:
        for table in ("ad_group_stat", "campaign_day", "total_day"):
            assert await connection.scalar(text(f"SELECT sum(clicks) FROM {table}")) == 2 + 3 * (2 + 3 + 4)
