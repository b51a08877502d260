"""The main job: three files in over HTTP, in any order, by either transport, and every number back as DuckDB has it."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.topology import Topology
from tests.support.oracle import expected_campaigns, expected_series
from tests.support.running import Running, running

SEED = Path(__file__).parents[3] / "shared" / "seed-data"
NAMES = ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv")
ORDERS = [NAMES, NAMES[::-1], ("ad_groups.csv", "ad_group_stats.csv", "campaigns.csv")]
IDS = ["top down", "stats first", "campaigns last"]

needs_seed = pytest.mark.skipif(not SEED.exists(), reason="the seed files are not beside the project")


def upload_and_wait(http: httpx.Client, path: Path) -> dict[str, Any]:
    """Send a file and return the upload once it is settled."""
    answer = http.post("/uploads", files={"file": (path.name, path.read_bytes())})
    assert answer.status_code == 202, answer.text
    upload = answer.json()["uploads"][0]
    end = time.monotonic() + 30
    while upload["state"] not in {"applied", "failed"} and time.monotonic() < end:
        time.sleep(0.05)
        answer = http.get(f"/uploads/{upload['id']}")
        upload = answer.json() if answer.is_success else upload
    return upload


def exactly(answer: httpx.Response) -> Any:
    """Return an answer's JSON with its numbers as exact decimals."""
    return json.loads(answer.text, parse_float=Decimal)


def assert_numbers_are_those_of(folder: Path, http: httpx.Client) -> None:
    """Hold the read API against DuckDB over the files."""
    campaigns = exactly(http.get("/campaigns"))
    assert {campaign["campaign_id"]: campaign for campaign in campaigns} == expected_campaigns(folder)
    for step in ("day", "week", "month"):
        series = exactly(http.get("/performance-time-series", params={"aggregate_by": step}))
        assert series == expected_series(folder, step)


@contextmanager
def separate_processes(folder: Path, settings: dict[str, str]) -> Iterator[tuple[Running, Running]]:
    """Run ingest, query and a consumer as they are deployed; yields the first two."""
    with ExitStack() as stack:
        query, _, ingest = (
            stack.enter_context(running(folder, *command, settings=settings))
            for command in (("serve", "query"), ("consume",), ("serve", "ingest"))
        )
        yield ingest, query


@needs_seed
@pytest.mark.parametrize("order", ORDERS, ids=IDS)
def test_the_seed_comes_back_right_by_the_inline_transport(
    order: tuple[str, ...], database_url: str, tmp_path: Path
) -> None:
    with running(tmp_path, "up", settings={"ADLEDGER_DATABASE_URL": database_url}) as adledger, adledger.http() as http:
        for name in order:
            assert upload_and_wait(http, SEED / name)["state"] == "applied"
        assert_numbers_are_those_of(SEED, http)


@needs_seed
@pytest.mark.parametrize("order", ORDERS, ids=IDS)
def test_the_seed_comes_back_right_through_rabbitmq(
    order: tuple[str, ...], database_url: str, rabbitmq: str, topology: Topology, tmp_path: Path
) -> None:
    settings = {
        "ADLEDGER_DATABASE_URL": database_url,
        "ADLEDGER_AMQP_URL": rabbitmq,
        "ADLEDGER_QUEUE_PREFIX": topology.prefix,
    }
    with separate_processes(tmp_path, settings) as (ingest, query), ingest.http() as writes, query.http() as reads:
        for name in order:
            answer = writes.post("/uploads", files={"file": (name, (SEED / name).read_bytes())})
            assert answer.status_code == 202, answer.text
            assert answer.json()["uploads"][0]["state"] == "staging"
        wait_until_applied(reads, len(order))
        assert_numbers_are_those_of(SEED, reads)
        renamed = writes.patch("/campaigns/20776040369", json={"name": "Shoes"})
        assert (renamed.status_code, renamed.json()["name"]) == (200, "Shoes")
        assert writes.patch("/campaigns/7", json={"name": "Nobody"}).status_code == 404


def wait_until_applied(http: httpx.Client, count: int) -> None:
    """Wait until so many uploads can be read."""
    end = time.monotonic() + 30
    states: list[str] = []
    while time.monotonic() < end:
        states = [upload["state"] for upload in http.get("/uploads").json()]
        if states == ["applied"] * count:
            return
        time.sleep(0.05)
    raise AssertionError(f"still {states}")


@needs_seed
def test_the_known_values_of_the_seed_are_served(database_url: str, tmp_path: Path) -> None:
    with running(tmp_path, "up", settings={"ADLEDGER_DATABASE_URL": database_url}) as adledger, adledger.http() as http:
        uploads = [upload_and_wait(http, SEED / name) for name in NAMES]
        footwear = next(c for c in http.get("/campaigns").json() if c["campaign_id"] == 20776040369)
    assert [(upload["rows_read"], upload["rows_accepted"], upload["rows_merged"]) for upload in uploads] == [
        (4, 4, 0),
        (14, 14, 0),
        (5100, 4903, 197),
    ]
    assert footwear["average_monthly_cost"] == 1510.988086
    assert footwear["average_cost_per_conversion"] == 11.936792
