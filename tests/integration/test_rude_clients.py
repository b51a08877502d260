"""Clients that lie, dawdle and hang up, and a machine without room: an answer that helps, and nothing left behind."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.files import CAMPAIGNS, STATS, csv_of, problem, send, spooled
from tests.support.running import Running, running

LIMIT = 100_000
FILE = csv_of(CAMPAIGNS, "300,Rude,")


@pytest.fixture(scope="module")
def small(module_database_url: str, module_folder: Path) -> Iterator[Running]:
    """An adledger that takes no more than `LIMIT` bytes."""
    settings = {"ADLEDGER_DATABASE_URL": module_database_url, "ADLEDGER_MAX_UPLOAD_BYTES": str(LIMIT)}
    with running(module_folder, "up", settings=settings) as started:
        yield started


@contextmanager
def connected(server: Running) -> Iterator[socket.socket]:
    url = urlsplit(server.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=20) as connection:
        yield connection


def head(length: int, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST /uploads HTTP/1.1", "Host: x", f"Content-Length: {length}", *lines, "", ""]).encode()


def status(connection: socket.socket) -> int:
    return int(connection.recv(4096).split()[1])


def test_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(small: Running) -> None:
    with connected(small) as connection:
        connection.sendall(head(10**12) + b"campaign_id,")
        assert status(connection) == 413


def test_a_client_that_sends_too_much_gets_to_see_why_it_is_refused(small: Running) -> None:
    with connected(small) as connection:
        # Sent without listening, as simple clients do: a server that just closed would reset the connection.
        connection.sendall(head(16 * 2**20) + b"x" * 16 * 2**20)
        assert status(connection) == 413


def test_a_client_that_hangs_up_leaves_nothing_behind(small: Running, module_folder: Path) -> None:
    with small.http() as http:
        before = http.get("/uploads").json()
        for sent in (0, 1, len(FILE) - 1):
            with connected(small) as connection:
                connection.sendall(head(len(FILE)) + FILE[:sent])
        # Another request on the same process: it comes after those that were broken off.
        send(http, csv_of(CAMPAIGNS, "301,Polite,"))
        assert len(http.get("/uploads").json()) == len(before) + 1
        _eventually_empty(module_folder / "data")
    assert "Traceback" not in small.log.read_text()


def _eventually_empty(data: Path) -> None:
    end = time.monotonic() + 20
    while spooled(data):
        assert time.monotonic() < end, spooled(data)
        time.sleep(0.05)


@contextmanager
def limited(server: Running, what: int, limit: int) -> Iterator[None]:
    """Let the process have less of something for a while."""
    before = resource.prlimit(server.process.pid, what)
    resource.prlimit(server.process.pid, what, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.process.pid, what, before)


def test_a_full_disk_is_a_507_that_says_so_and_leaves_nothing_behind(small: Running, module_folder: Path) -> None:
    with small.http() as http:
        with limited(small, resource.RLIMIT_FSIZE, 10):
            said = problem(http.post("/uploads", content=FILE), 507)
        assert "no room on disk" in said
        assert spooled(module_folder / "data") == []
        assert send(http, FILE)["state"] == "applied"


def test_a_disk_that_fills_while_a_file_is_read_is_a_507_too(small: Running, module_folder: Path) -> None:
    # A row is refused, so that the file is written again with numbers, which makes it larger than what was spooled.
    content = csv_of(STATS, "broken", *[f"2026-01-01,{n},MOBILE,1,1,1,1" for n in range(500)])
    with small.http() as http, limited(small, resource.RLIMIT_FSIZE, len(content)):
        assert "no room on disk" in problem(http.post("/uploads", content=content), 507)
        assert spooled(module_folder / "data") == []


def test_a_lack_of_open_files_is_a_503_that_says_when_to_try_again(small: Running) -> None:
    with small.http() as http:
        http.get("/health/live")
        opened = sum(1 for _ in Path(f"/proc/{small.process.pid}/fd").iterdir())
        with limited(small, resource.RLIMIT_NOFILE, opened):
            answer = http.post("/uploads", content=FILE)
        assert "send the same request again" in problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        assert send(http, FILE)["state"] == "applied"
