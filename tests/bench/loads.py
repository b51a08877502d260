"""The way in: how long until what was sent can be read."""

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.bench import textbook
from tests.bench.data import Shape, write_dimensions, write_stats
from tests.bench.figures import Figure
from tests.bench.stage import Ours, Servers, ask, held, ours

PIPELINE_ROWS = 10_000
SMALL_UPLOADS = 200
SMALL_ROWS = 1000
CLIENTS = 8

Times = dict[str, list[list[float]]]
"""By side: for each size the seconds of each round."""

BACKLOG_UPLOADS = 20
BACKLOG_ROWS = 100_000

FLOOR = """
CREATE TABLE sorted (LIKE stats INCLUDING INDEXES);
INSERT INTO sorted (date, ad_group_id, device, impressions, clicks, conversions, cost)
SELECT date, ad_group_id, device, impressions, clicks, conversions, cost FROM stats
ORDER BY ad_group_id, date, device;
DROP TABLE sorted;
"""


class Files:
    """The files of a run, written once."""

    def __init__(self, shape: Shape, folder: Path) -> None:
        self.shape = shape
        self.folder = folder
        self.dimensions = write_dimensions(shape, folder)
        self.first = write_stats(shape, folder / "first.csv")
        self.second = write_stats(shape, folder / "second.csv", seed=1)

    def small(self, rows: int, number: int) -> Path:
        """Return a file of some rows, of other keys than any other number's."""
        shape = replace(self.shape, rows=rows, duplicates=0.0)
        return write_stats(shape, self.folder / f"small-{rows}-{number}.csv", seed=number, offset=number * rows)


def load_dimensions(stage: Ours, files: Files) -> None:
    """Send the campaigns and ad groups."""
    for path in files.dimensions:
        stage.wait_until_applied([stage.send(path)])


def first_and_replacement(servers: Servers, files: Files, rounds: int) -> list[Figure]:
    """Load the file, then the same keys with other metrics: ours, and (a), in turn."""
    first = Figure("first load", "s", "(a) psql", must=0.60, aim=0.40)
    again = Figure("full replacement", "s", "(a) psql", must=0.50, aim=0.35)
    floor = Figure("first load against the floor", "s", "(d) sorted insert")
    memory = {name: Figure(f"memory of {name}", "MB", must=400, aim=250) for name in ("ingest", "consumer")}
    for _ in range(rounds):
        with ours(servers) as stage:
            with stage.consumers(1):
                load_dimensions(stage, files)
                first.ours.append(stage.load(files.first))
                again.ours.append(stage.load(files.second))
            stage.note_memory()
            for name, figure in memory.items():
                figure.ours.append(stage.peaks[name])
        with textbook.tables(servers) as address:
            for path, table in zip(files.dimensions, ("campaign", "ad_group"), strict=True):
                textbook.copy(address, table, path, servers.folder)
            first.theirs.append(textbook.upsert(address, files.first))
            floor.theirs.append(_run(address, FLOOR, servers.folder))
            again.theirs.append(textbook.upsert(address, files.second))
    floor.ours = first.ours
    return [first, again, floor, *memory.values()]


def against_pipeline(servers: Servers, files: Files, first: Figure, rounds: int) -> Figure:
    """Send a part of the file through (b), row by row; ours is the rate of the first load."""
    figure = Figure("rows applied a second", "rows/s", "(b) FastStream", must=100, aim=200, more=True)
    figure.ours = [files.shape.rows / seconds for seconds in first.ours]
    part = files.small(PIPELINE_ROWS, 0)
    for _ in range(rounds):
        with textbook.tables(servers) as address:
            figure.theirs.append(textbook.pipeline(servers, address, part, PIPELINE_ROWS))
    return figure


def small_uploads(servers: Servers, files: Files, rounds: int, uploads: int = SMALL_UPLOADS) -> Figure:
    """Send small files by several clients; (a) one after the other."""
    figure = Figure("small uploads applied a second", "uploads/s", "(a) psql", must=1, aim=3, more=True)
    paths = [files.small(SMALL_ROWS, number) for number in range(uploads)]
    for _ in range(rounds):
        with ours(servers) as stage, stage.consumers(1), ThreadPoolExecutor(CLIENTS) as clients:
            load_dimensions(stage, files)
            began = time.perf_counter()
            stage.wait_until_applied(list(clients.map(stage.send, paths)))
            figure.ours.append(len(paths) / (time.perf_counter() - began))
        with textbook.tables(servers) as address:
            began = time.perf_counter()
            for path in paths:
                textbook.upsert(address, path)
            figure.theirs.append(len(paths) / (time.perf_counter() - began))
    return figure


def growth(servers: Servers, files: Files, sizes: list[int], rounds: int) -> tuple[Figure, Times]:
    """Load files of growing size, each into an empty adledger; the figure compares the time a row at both ends."""
    times: Times = {"ours": [], "psql": []}
    for size in sizes:
        path = write_stats(replace(files.shape, rows=size), files.folder / f"grown-{size}.csv")
        seconds: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):
            with ours(servers) as stage, stage.consumers(1):
                load_dimensions(stage, files)
                seconds.append(stage.load(path))
            with textbook.tables(servers) as address:
                theirs.append(textbook.upsert(address, path))
        times["ours"].append(seconds)
        times["psql"].append(theirs)
    return _growth_figure(sizes, times["ours"]), times


def _growth_figure(sizes: list[int], times: list[list[float]]) -> Figure:
    """Compare the microseconds a row at the largest size with those at the smallest."""
    figure = Figure("µs a row, largest against smallest file", "µs", f"at {sizes[0]:,} rows", must=1.3, aim=1.1)
    figure.ours = [seconds / sizes[-1] * 1e6 for seconds in times[-1]]
    figure.theirs = [seconds / sizes[0] * 1e6 for seconds in times[0]]
    figure.note = f"largest {sizes[-1]:,} rows; a small file pays for starting, a large one for indexes"
    return figure


def second_consumer(servers: Servers, files: Files, rounds: int, rows: int = BACKLOG_ROWS) -> Figure:
    """Let one and two consumers take a backlog, and count that nothing is lost."""
    figure = Figure("two consumers on a backlog", "rows/s", "one", must=1.0, more=True)
    paths = [files.small(rows, number) for number in range(BACKLOG_UPLOADS)]
    for _ in range(rounds):
        figure.theirs.append(_backlog(servers, paths, 1, rows))
        figure.ours.append(_backlog(servers, paths, 2, rows))
    figure.note = "appliers take turns: while one applies, the other stores, and writes the rows of what comes next"
    return figure


def _backlog(servers: Servers, paths: list[Path], consumers: int, rows: int) -> float:
    with ours(servers) as stage:
        sent = [stage.send(path) for path in paths]
        with contextlib.ExitStack() as started:
            # Nothing can be stored until all of them are there, so that it is not their start that is measured.
            with held(stage.database, "receipt"):
                started.enter_context(stage.consumers(consumers))
                began = time.perf_counter()
            stage.wait_until_applied(sent)
            seconds = time.perf_counter() - began
        if ask(stage.database, "SELECT count(*) FROM ad_group_stat") != rows * len(paths):
            raise AssertionError("keys were lost")
    return rows * len(paths) / seconds


def _run(address: str, statements: str, folder: Path) -> float:
    script = folder / "floor.sql"
    script.write_text(statements)
    began = time.perf_counter()
    textbook.psql(address, script)
    return time.perf_counter() - began


def demo() -> Figure:
    """Run `adledger demo`, from the command to its end, which comes after its first answers."""
    figure = Figure("adledger demo, to its end", "s", must=15, aim=8)
    command = [str(Path(sys.executable).with_name("adledger")), "demo"]
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
        figure.ours.append(time.perf_counter() - began)
    return figure
