"""The rollup keeps its pace when one transaction touches very many days of very many campaigns."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import fold, rollup

pytestmark = pytest.mark.anyio

REPLACED = 300_000
ADDED = 3_000
DAY = "date '2023-01-01' + i % 730"


async def test_days_that_move_are_told_from_days_that_are_summed_again_at_once(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await fold.prepare(connection)
        for table, campaign, sums, count in (
            ("touched_day", "i / 730", "", REPLACED),
            ("day_delta", "10000 + i / 730", ", 1, 2, 3, 4", ADDED),
            ("day_delta", "i / 730", ", 1, 2, 3, 4", 1),
        ):
            rows = f"SELECT {campaign}, {DAY}{sums} FROM generate_series(1, {count}) i"
            await connection.execute(text(f"INSERT INTO {table} {rows}"))
        # Each of them takes a second at the most; compared one by one, the days take a minute.
        await connection.execute(text("SET LOCAL statement_timeout = '10s'"))
        await rollup.refresh(connection)
        moved = "SELECT count(*), min(campaign_id), sum(cost) FROM campaign_day"
        assert tuple((await connection.execute(text(moved))).one()) == (ADDED, 10_000, 4 * ADDED)
