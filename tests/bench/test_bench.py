"""The parts of `make bench` run, on few rows: that its figures are taken, not what they are."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.bench import loads, reads, textbook
from tests.bench.data import Shape, write_stats
from tests.bench.figures import Figure, table
from tests.bench.loads import Files
from tests.bench.machine import machine
from tests.bench.reading import FORMS, reading
from tests.bench.stage import Servers, ours
from tests.support.running import free_port

ROWS = 3000
needs_the_peers = pytest.mark.skipif(not textbook.BENCH_PYTHON.exists(), reason="make bench installs the peers")


@pytest.fixture(scope="module")
def servers(postgres: str, rabbitmq: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Servers:
    return Servers(postgres, rabbitmq, template, tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="module")
def files(servers: Servers) -> Files:
    return Files(Shape(ROWS, 0.3, campaigns=8, skewed=True), servers.folder)


@pytest.fixture(scope="module")
def peer(servers: Servers) -> Iterator[str]:
    with textbook.tables(servers) as address:
        yield address


def test_a_file_has_the_rows_and_keys_that_it_is_asked_for(files: Files, tmp_path: Path) -> None:
    lines = files.first.read_text().splitlines()[1:]
    assert len(lines) == ROWS
    keys = {tuple(line.split(",")[:3]) for line in lines}
    assert len(keys) == files.shape.keys == ROWS * 0.7
    other = {tuple(line.split(",")[:3]) for line in files.second.read_text().splitlines()[1:]}
    assert other == keys
    assert files.second.read_text() != files.first.read_text()
    assert write_stats(files.shape, tmp_path / "again.csv").read_bytes() == files.first.read_bytes()


def test_ours_and_psql_hold_the_same_sums_after_loading(servers: Servers, files: Files, peer: str) -> None:
    with ours(servers) as stage, stage.consumers(1):
        loads.load_dimensions(stage, files)
        assert stage.load(files.first) > 0
        question = "SELECT (count(*), sum(clicks), sum({cost}))::text FROM {table}"
        kept = loads.ask(stage.database, question.format(table="ad_group_stat", cost="cost"))
        assert textbook.upsert(peer, files.first) > 0
        assert kept == loads.ask(peer, question.format(table="stats", cost="(cost * 1000000)::bigint"))
        stage.note_memory()
    assert min(stage.peaks.values()) > 10


def test_the_pipeline_stores_every_row(servers: Servers, files: Files) -> None:
    with textbook.tables(servers) as address:
        assert textbook.pipeline(servers, address, files.small(200, 0), 200) > 0
        assert loads.ask(address, "SELECT count(*) FROM stats") == 200


def test_plain_duckdb_and_ours_read_the_same_in_every_form(files: Files, tmp_path: Path) -> None:
    figures = reading(files.first, tmp_path, 1)
    assert [len(figure.ours) for figure in figures] == [1] * (len(FORMS) + 1)
    assert 50 < figures[-1].ours[0] < 400
    assert list(tmp_path.iterdir()) == []


@needs_the_peers
def test_both_apis_answer_the_same_questions_alike(servers: Servers, files: Files) -> None:
    with ours(servers) as stage, textbook.tables(servers) as address:
        with stage.consumers(1):
            loads.load_dimensions(stage, files)
            stage.load(files.first)
        reads.fill(address, files, servers)
        with textbook.api(address) as port:
            for path in reads.READS.values():
                mine = httpx.get(f"{stage.query.url}{path}").json()
                theirs = httpx.get(f"http://127.0.0.1:{port}{path}").json()
                assert alike(mine, theirs)
        with textbook.floor(b"[1]", servers.folder) as port:
            assert reads.keep_busy(port, ["/"], clients=2, seconds=0.2).rate > 0


def alike(mine: object, theirs: object) -> bool:
    """Tell whether two answers say the same; the peer rounds before it divides."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(alike(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(alike, mine, theirs))
    return mine == theirs or (isinstance(mine, float | int) and mine == pytest.approx(theirs, abs=2e-6, rel=1e-4))


def test_a_client_that_finds_nobody_says_so() -> None:
    with pytest.raises(ConnectionRefusedError):
        reads.keep_busy(free_port(), ["/"], clients=1, seconds=0.1)


def test_the_table_shows_ratios_and_which_bound_is_met() -> None:
    figure = Figure("loading", "s", "(a)", must=0.6, aim=0.4, ours=[1, 2, 9], theirs=[4, 4, 4])
    assert (figure.ratio, figure.verdict()) == (0.5, "must")
    assert Figure("x", "1/s", "(c)", must=50, aim=200, more=True, ours=[9], theirs=[1]).verdict() == "MISSED"
    assert Figure("x", "MB", must=400, aim=250, ours=[100]).verdict() == "aim"
    assert "| loading | 2 s" in table([figure])


def test_the_machine_is_named(servers: Servers) -> None:
    assert "PostgreSQL" in machine(servers)
