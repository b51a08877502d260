"""For any files, in any order of arrival, the numbers are the ones the design's `value(key)` says, to the micro.

The oracle is DuckDB over the rows as they were written to the files; it shares no code with the product.
"""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api.batching import Sending, prepare
from services.ingest.api.reading.parsing import Parser
from services.ingest.consumer.applier import Applier
from services.local import InlineTransport
from services.query.app import create_app
from services.query.settings import QuerySettings
from shared.database import create_writer
from shared.messages import Mode

DAY = date(2026, 1, 30)
START = datetime(2026, 3, 1, tzinfo=UTC)
CAMPAIGN_OF = {1: 10, 2: 10, 3: 20, 4: 30}
DEVICES = ("MOBILE", "DESKTOP", "TABLET")
TABLES = "upload, attempt, receipt, rejection, stat_entry, ad_group_entry, campaign_entry, ad_group_stat, ad_group, "
TABLES += "campaign, campaign_day, campaign_week, campaign_month, total_day"


@dataclass(frozen=True)
class File:
    """A stats file: its rows as text cells, and how it is to be read."""

    rows: tuple[tuple[str, ...], ...]
    mode: Mode

    @property
    def content(self) -> bytes:
        header = "date,ad_group_id,device,impressions,clicks,conversions,cost"
        return "\r\n".join([header, *(",".join(row) for row in self.rows), ""]).encode()


amounts = st.decimals(0, 1000, places=6).map(str) | st.sampled_from(["0", "0.000001", "3.1E-05", "12.", ".5"])
counts = st.integers(0, 10**6).map(str)
good_rows = st.tuples(
    st.integers(0, 3).map(lambda days: str(DAY + timedelta(days=days))),
    st.sampled_from(sorted(CAMPAIGN_OF)).map(str),
    st.sampled_from(DEVICES),
    counts,
    counts,
    amounts,
    amounts,
)
bad_rows = good_rows.map(lambda row: (*row[:3], "-1", *row[4:]))
files = st.builds(
    File,
    st.lists(good_rows | good_rows | good_rows | bad_rows, min_size=1, max_size=12).map(tuple),
    st.sampled_from([Mode.UPSERT, Mode.UPSERT, Mode.ADD]),
)


def expected(sent: Sequence[File]) -> dict[tuple[int, date, str], tuple[int, int, int, int]]:
    """Return each key's value: the sum of its entries from the latest `upsert` on, in micros."""
    placed = [(place, str(file.mode), row) for place, file in enumerate(sent) for row in file.rows]
    rows = [(place, mode, *row) for place, mode, row in placed if not row[3].startswith("-")]
    if not rows:
        return {}
    with duckdb.connect() as db:
        texts = ", ".join(f"{name} TEXT" for name in ("mode", "date", "grp", "device", "i", "c", "v", "m"))
        db.execute(f"CREATE TABLE cell (place INT, {texts})")
        db.executemany("INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        found = db.execute(
            """
            WITH entry AS (
                SELECT place, mode, grp::BIGINT AS grp, date::DATE AS date, device, i::HUGEINT AS i, c::HUGEINT AS c,
                       (v::DECIMAL(24, 6) * 1000000)::HUGEINT AS v, (m::DECIMAL(24, 6) * 1000000)::HUGEINT AS m
                FROM cell
            ),
            base AS (SELECT grp, date, device, max(place) AS base FROM entry WHERE mode = 'upsert' GROUP BY ALL)
            SELECT grp, date, device, sum(i)::HUGEINT, sum(c)::HUGEINT, sum(v)::HUGEINT, sum(m)::HUGEINT
            FROM entry LEFT JOIN base USING (grp, date, device)
            WHERE place >= coalesce(base, -1) GROUP BY ALL
            """,
        ).fetchall()
    return {(row[0], row[1], row[2]): tuple(map(int, row[3:])) for row in found}


async def load(transport: InlineTransport, parser: Parser, file: File, place: int) -> None:
    """Send a file as if it had been received at its place."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(file.content)
        sending = Sending("f.csv", f"{place}", START + timedelta(seconds=place), file.mode)
        await transport.publish(prepare(sending, parser.parse(source, Path(folder))).batches())


async def describe(transport: InlineTransport, parser: Parser) -> None:
    """Send the campaigns and their ad groups."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        lines = [f"{group},g{group},{campaign}" for group, campaign in CAMPAIGN_OF.items()]
        source.write_text("\n".join(["ad_group_id,ad_group_name,campaign_id", *lines]))
        sending = Sending("g.csv", "groups", START)
        await transport.publish(prepare(sending, parser.parse(source, Path(folder))).batches())


async def stored(engine: AsyncEngine) -> dict[tuple[int, date, str], tuple[int, int, int, int]]:
    """Return the current stats as the database holds them."""
    names = ["UNKNOWN", *DEVICES]
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM ad_group_stat"))
        return {
            (row.ad_group_id, row.date, names[row.device]): (row.impressions, row.clicks, row.conversions, row.cost)
            for row in rows
        }


async def served(url: str) -> dict[tuple[int, date], Any]:
    """Return the daily costs and clicks of each campaign as the read API serves them."""
    app = create_app(QuerySettings(database_url=SecretStr(url)))
    async with app.lifespan(), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        answer = await http.get("/performance-time-series", params={"aggregate_by": "day"})
    points = json.loads(answer.text, parse_float=Decimal)
    return {
        (point["campaign_id"], date.fromisoformat(point["date"])): (Decimal(point["total_cost"]), point["total_clicks"])
        for point in points
    }


def by_campaign(values: dict[tuple[int, date, str], tuple[int, int, int, int]]) -> dict[tuple[int, date], Any]:
    """Return the expected daily costs and clicks of each campaign."""
    sums: dict[tuple[int, date], Any] = {}
    for (group, day, _), (_, clicks, _, cost) in values.items():
        key = (CAMPAIGN_OF[group], day)
        before = sums.get(key, (Decimal(0), 0))
        sums[key] = (before[0] + Decimal(cost).scaleb(-6), before[1] + clicks)
    return sums


def test_the_numbers_are_the_fold_of_what_was_accepted(database_url: str, tmp_path: Path) -> None:
    parser = Parser(tmp_path)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(files, min_size=1, max_size=5), st.randoms(use_true_random=False))
    def check(sent: list[File], random: Any) -> None:
        asyncio.run(arrive(sent, random))

    async def arrive(sent: list[File], random: Any) -> None:
        engine = create_writer(database_url)
        transport = InlineTransport(engine, Applier(engine))
        async with engine.begin() as connection:
            await connection.execute(text(f"TRUNCATE {TABLES}"))
        loads = [load(transport, parser, file, place) for place, file in enumerate(sent)]
        arrivals = [*loads, describe(transport, parser)]
        random.shuffle(arrivals)
        for arrival in arrivals:
            await arrival
        values = expected(sent)
        assert await stored(engine) == values
        assert await served(database_url) == by_campaign(values)
        await engine.dispose()

    check()
    parser.close()
