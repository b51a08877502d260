"""What an operator sees: the front door, health, metrics, and what happens while the database is away."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from statistics import median
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.query.reader import Reader
from shared.database import create_reader, is_connection_lost
from tests.support.databases import execute
from tests.support.files import CAMPAIGNS, csv_of, exactly, problem, send

READS = (
    "/campaigns",
    "/performance-time-series?aggregate_by=day",
    "/compare-performance?start_date=2024-01-01&end_date=2024-01-31&compare_mode=preceding",
    "/uploads",
    "/uploads/0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
    "/uploads/0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11/rejections",
)
DOORS = ("/", "/schema", "/schema/openapi.json", "/health/live", "/health/ready", "/metrics", "/campaigns", "/uploads")
BOUND_SECONDS = 15


@pytest.fixture(scope="module", autouse=True)
def dataset(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "1,One,SEARCH"))


def test_the_root_leads_to_the_documentation(http: httpx.Client) -> None:
    answer = http.get("/")
    assert answer.is_redirect
    page = http.get(answer.headers["location"])
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "adledger" in page.text


def test_the_documentation_is_an_openapi_document_of_both_services(http: httpx.Client) -> None:
    document = exactly(http.get("/schema/openapi.json"))
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]["/uploads"]) >= {"get", "post"}
    assert {"/campaigns", "/performance-time-series", "/compare-performance"} <= document["paths"].keys()


def test_health_says_alive_and_ready_by_name(http: httpx.Client) -> None:
    assert http.get("/health/live").json() == {"status": "alive"}
    ready = http.get("/health/ready")
    assert (ready.status_code, ready.json()["status"], ready.json()["database"]) == (200, "ready", "ok")


def test_metrics_are_in_a_form_that_prometheus_takes(http: httpx.Client) -> None:
    answer = http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=1.0.0; charset=utf-8"
    assert "\nprocess_cpu_seconds_total " in answer.text


@pytest.mark.parametrize("path", DOORS)
def test_head_is_answered_like_get_without_a_body(path: str, http: httpx.Client) -> None:
    get, head = http.get(path), http.head(path)
    assert head.status_code == get.status_code
    assert head.headers.get("content-type") == get.headers.get("content-type")
    assert head.content == b""
    assert http.get("/health/live").status_code == 200


@pytest.mark.parametrize("path", DOORS)
def test_options_are_answered_with_the_methods_there_are(path: str, http: httpx.Client) -> None:
    answer = http.options(path)
    assert answer.is_success
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/nothing"), ("POST", "/nothing"), ("PATCH", "/campaigns")])
def test_what_is_not_there_is_a_404(method: str, path: str, http: httpx.Client) -> None:
    assert problem(http.request(method, path), 404)


def test_what_cannot_be_done_is_a_405(http: httpx.Client) -> None:
    assert problem(http.put("/uploads", content=b""), 405)


def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements(http: httpx.Client) -> None:
    # Nagle's algorithm and delayed acknowledgements together cost 40 ms, nearly each time.
    assert median(http.get("/health/live").elapsed.total_seconds() for _ in range(40)) < 0.03


@contextmanager
def closed(postgres: str, database_url: str) -> Iterator[None]:
    """Close one database to connections, and end those there are."""
    name = urlsplit(database_url).path.removeprefix("/")
    asyncio.run(execute(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
    try:
        asyncio.run(
            execute(postgres, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        )
        yield
    finally:
        asyncio.run(execute(postgres, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))


def assert_is_503_for_now(answer: httpx.Response) -> None:
    assert problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_connections_that_the_database_ended_are_replaced_without_anybody_noticing(
    postgres: str, module_database_url: str, http: httpx.Client
) -> None:
    for path in READS[:4]:
        with closed(postgres, module_database_url):
            pass
        assert http.get(path).status_code == 200


def test_so_are_all_those_that_several_answers_left_behind(
    postgres: str, module_database_url: str, http: httpx.Client
) -> None:
    paths = [f"/performance-time-series?aggregate_by=day&campaign_ids={number}" for number in range(1, 21)]
    with ThreadPoolExecutor(10) as clients:
        assert {answer.status_code for answer in clients.map(http.get, paths)} == {200}
    with closed(postgres, module_database_url):
        pass
    assert {http.get(f"{path}0").status_code for path in paths} == {200}


HINDER = """
    CREATE FUNCTION hinder() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '{code}'; END $$;
    ALTER TABLE {table} RENAME TO kept;
    CREATE VIEW {table} AS SELECT kept.* FROM kept JOIN hinder() AS hindered ON true;
"""
LET_BE = "DROP VIEW {table}; DROP FUNCTION hinder(); ALTER TABLE kept RENAME TO {table}"


@pytest.mark.parametrize(("code", "status"), [("40001", 503), ("53200", 503), ("57014", 503), ("42883", 500)])
@pytest.mark.parametrize(("path", "table"), [("/campaigns", "campaign"), ("/uploads", "attempt")])
def test_what_hinders_a_read_for_now_is_a_503_and_what_stays_is_not(
    path: str, table: str, code: str, status: int, module_database_url: str, http: httpx.Client
) -> None:
    # Another state of the data, since answers to this one may come from memory.
    send(http, csv_of(CAMPAIGNS, f"1,One,SEARCH{code}"))
    asyncio.run(execute(module_database_url, HINDER.format(table=table, code=code)))
    try:
        hindered = http.get(path)
    finally:
        asyncio.run(execute(module_database_url, LET_BE.format(table=table)))
    assert problem(hindered, status)
    assert ("retry-after" in hindered.headers) == (status == 503)
    assert http.get(path).status_code == 200


def test_while_the_database_is_away_everything_is_503_soon_and_afterwards_all_is_well(
    postgres: str, module_database_url: str, http: httpx.Client
) -> None:
    content = csv_of(CAMPAIGNS, "2,Two,")
    with closed(postgres, module_database_url):
        began = time.monotonic()
        for path in READS:
            assert_is_503_for_now(http.get(path))
        assert_is_503_for_now(http.post("/uploads", content=content))
        assert_is_503_for_now(http.patch("/campaigns/1", json={"name": "Uno"}))
        ready = http.get("/health/ready")
        assert (ready.status_code, ready.json()["database"]) == (503, "away")
        assert http.get("/health/live").status_code == 200
        assert time.monotonic() - began < BOUND_SECONDS
    assert http.get("/campaigns").status_code == 200
    assert http.get("/health/ready").status_code == 200
    assert send(http, content)["state"] == "applied"
    assert http.patch("/campaigns/1", json={"name": "Uno"}).status_code == 200
    assert [each["campaign_name"] for each in exactly(http.get("/campaigns"))] == ["Uno", "Two"]


@pytest.mark.anyio
async def test_a_database_that_says_nothing_is_not_waited_for_for_ever() -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = create_reader(f"postgresql://nobody@127.0.0.1:{port}/nothing?sslmode=disable")
    began = time.monotonic()
    with pytest.raises(TimeoutError) as error:
        await Reader(engine, answer_seconds=0.3).fetch("SELECT 1")
    assert is_connection_lost(error.value)
    assert time.monotonic() - began < 5
    server.close()
    await engine.dispose()


@pytest.mark.anyio
async def test_a_statement_that_does_not_end_is_given_up_and_the_next_one_is_answered(module_database_url: str) -> None:
    engine = create_reader(module_database_url)
    reader = Reader(engine, answer_seconds=0.5)
    assert await reader.fetch("SELECT 1")
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await reader.fetch("SELECT pg_sleep(30)")
    assert time.monotonic() - began < 5
    assert [dict(row) for row in await reader.fetch("SELECT 1 AS one")] == [{"one": 1}]
    await engine.dispose()


def test_a_pool_without_a_free_connection_means_the_same_as_a_database_that_is_away() -> None:
    assert is_connection_lost(PoolTimeoutError("QueuePool limit reached"))
    # What asyncpg says when the server ends the session while nobody listens.
    assert is_connection_lost(
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    )
    assert not is_connection_lost(ValueError("of ours"))
