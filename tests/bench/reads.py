"""The way out: cold and warm reads, and reads while an upload is applied."""

import contextlib
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.bench import textbook
from tests.bench.data import CAMPAIGN, LAST_DAY
from tests.bench.figures import Figure
from tests.bench.load import keep_busy
from tests.bench.loads import Files, load_dimensions
from tests.bench.stage import Ours, Servers, asking, ours

COLD_READS = 20
PEER_READS = 3
CLIENTS = 16
SECONDS = 3.0

LAST_MONTH = f"start_date={LAST_DAY.replace(day=1)}&end_date={LAST_DAY}"
SERIES = "/performance-time-series?aggregate_by="
READS = {
    "campaigns": "/campaigns",
    "monthly series": f"{SERIES}month",
    "one campaign's daily series": f"{SERIES}day&campaign_ids={CAMPAIGN + 7}",
    "comparison": f"/compare-performance?{LAST_MONTH}&compare_mode=preceding",
}
"""The endpoints, as both sides understand them; (c) knows one mode of comparison and ignores its name."""

RAISE = "UPDATE dataset SET version = version + 1 RETURNING version"
CHANGE = f"""
    WITH day AS (
        UPDATE campaign_day SET cost = cost + 1 WHERE campaign_id = {CAMPAIGN + 7} AND date = '{LAST_DAY}'
    ),
    month AS (
        UPDATE campaign_month SET cost = cost + 1
        WHERE campaign_id = {CAMPAIGN + 7} AND date = '{LAST_DAY.replace(day=1)}'
    ),
    total AS (UPDATE total_day SET cost = cost + 1 WHERE date = '{LAST_DAY}')
    {RAISE}
"""
"""What an upload does that says nothing about a question, and what one does that changes a little of each answer."""

_SUMS = "sum(cost), sum(clicks), sum(conversions), sum(impressions)"
QUERIES = {
    "campaigns": f"SELECT campaign_id, {_SUMS}, count(*) FROM campaign_month GROUP BY campaign_id ORDER BY campaign_id",
    "monthly series": "SELECT * FROM campaign_month ORDER BY date, campaign_id",
    "one campaign's daily series": f"SELECT * FROM campaign_day WHERE campaign_id = {CAMPAIGN + 7} ORDER BY date",
    "comparison": f"SELECT {_SUMS} FROM total_day WHERE date BETWEEN '{LAST_DAY.replace(day=1)}' AND '{LAST_DAY}'",
}
"""What the database must be asked for each of them at the least, once there are rollups."""


def reading(servers: Servers, files: Files, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Measure every read endpoint at the size of the file."""
    with ours(servers) as stage, textbook.tables(servers) as address:
        with stage.consumers(1):
            load_dimensions(stage, files)
            stage.load(files.first)
        fill(address, files, servers)
        for each in (stage.database, address):
            # Both as the server itself leaves them a minute later; until then it is at work beside the reads.
            textbook.vacuum(each, servers.folder)
        figures = cold(stage, address, rounds)
        figures += against_queries(stage, figures, servers.folder, rounds)
        say("warm reads")
        figures += warm(stage, servers, rounds)
        say("reads while an upload is applied")
        figures += while_applying(stage, files, rounds)
        stage.note_memory()
        figures.append(Figure("memory of query", "MB", must=400, aim=250, ours=[stage.peaks["query"]]))
    return figures


def fill(address: str, files: Files, servers: Servers) -> None:
    """Give the peers what ours has."""
    for path, table in zip(files.dimensions, ("campaign", "ad_group"), strict=True):
        textbook.copy(address, table, path, servers.folder)
    textbook.upsert(address, files.first)


def cold(stage: Ours, address: str, rounds: int) -> list[Figure]:
    """Read each endpoint right after the version changed, and its numbers or not: ours, and (c), in turn."""
    figures = []
    with textbook.api(address) as port, asking(stage.database) as put:
        for name, path in READS.items():
            same, other = (
                Figure(f"{name}, cold{numbers}", "1/s", "(c) FastAPI", must=50, aim=200, more=True)
                for numbers in ("", ", other numbers")
            )
            for _ in range(rounds):
                with _client(_port(stage)) as http:
                    for figure, change in ((same, RAISE), (other, CHANGE)):
                        put(CHANGE)
                        figure.ours.append(1 / median(_cold_read(http, put, change, path) for _ in range(COLD_READS)))
                with _client(port) as http:
                    same.theirs.append(1 / median(_timed(http, path) for _ in range(PEER_READS)))
            other.theirs = same.theirs
            figures += [same, other]
    return figures


def against_queries(stage: Ours, answers: list[Figure], folder: Path, rounds: int) -> list[Figure]:
    """Hold the cold reads against the queries alone: the floor that the database sets."""
    figures = []
    for name, answer in zip(READS, answers[1::2], strict=True):
        figure = Figure(f"{name}, cold, against the query alone", "1/s", "(d) pgbench", more=True, ours=answer.ours)
        figure.theirs = [textbook.alone(stage.database, QUERIES[name], SECONDS, folder) for _ in range(rounds)]
        figures.append(figure)
    return figures


def _client(port: int) -> contextlib.closing[HTTPConnection]:
    """Return a connection that takes little time of its own, which would be added to that of both sides."""
    return contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=120))


def _cold_read(http: HTTPConnection, put: Callable[[str], Any], change: str, path: str) -> float:
    put(change)
    return _timed(http, path)


def _timed(http: HTTPConnection, path: str) -> float:
    began = time.perf_counter()
    http.request("GET", path, headers={"Accept-Encoding": "identity"})
    answer = http.getresponse()
    answer.read()
    seconds = time.perf_counter() - began
    if answer.status != HTTPStatus.OK:
        raise AssertionError(f"{path} is answered with {answer.status}.")
    return seconds


def warm(stage: Ours, servers: Servers, rounds: int) -> list[Figure]:
    """Ask again and again for what did not change, beside a handler that has the same bytes in memory."""
    figures = []
    for name, path in READS.items():
        figure = Figure(f"{name}, warm", "1/s", "(d) Litestar", must=0.5, aim=0.8, more=True)
        body = httpx.get(f"{stage.query.url}{path}", timeout=60).content
        with textbook.floor(body, servers.folder) as port:
            for _ in range(rounds):
                figure.ours.append(_rate(_port(stage), path))
                figure.theirs.append(_rate(port, "/"))
        figure.note = f"{len(body):,} bytes, {CLIENTS} connections"
        figures.append(figure)
    return figures


def _rate(port: int, path: str) -> float:
    return keep_busy(port, [path], clients=CLIENTS, seconds=SECONDS).rate


def _port(stage: Ours) -> int:
    port = urlsplit(stage.query.url).port
    if port is None:
        raise AssertionError(stage.query.url)
    return port


def while_applying(stage: Ours, files: Files, rounds: int) -> list[Figure]:
    """Compare the slowest hundredth of the reads at rest with that while a whole file is applied."""
    figure = Figure("p99 of reads while a file is applied", "ms", "at rest", must=5, aim=2)
    paths = list(READS.values())
    with stage.consumers(1):
        for turn in range(rounds):
            rest = keep_busy(_port(stage), paths, clients=4, seconds=SECONDS)
            applying = threading.Thread(target=stage.load, args=((files.second, files.first)[turn % 2],))
            applying.start()
            answers: list[float] = []
            while applying.is_alive():
                answers += keep_busy(_port(stage), paths, clients=4, seconds=0.5).answers
            applying.join()
            figure.theirs.append(rest.percentile(0.99) * 1000)
            figure.ours.append(sorted(answers)[int(len(answers) * 0.99)] * 1000)
    figure.note = "4 connections, the four endpoints in turn"
    return [figure]
