"""`python -m tests.sizing`: measure, and print or write down what docs/operations.md says about sizes."""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from services.processes import migrate
from shared.topology import Topology
from tests.conftest import delete_queues
from tests.sizing.reading import read
from tests.sizing.usage import backends, cpu_seconds, peak_mib
from tests.sizing.writing import FIRST_YEAR, describing, send, stats
from tests.support.databases import EMPTY, database
from tests.support.running import Running, running
from tests.support.servers import postgres_server, rabbitmq_server

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- measured: make sizing -->", "<!-- end -->"
COMMANDS = {"ingest": ("serve", "ingest"), "consumer": ("consume",), "query": ("serve", "query")}


@dataclass
class Fleet:
    """Processes on a database and queues of their own, and what they had used when last asked."""

    settings: dict[str, str]
    folder: Path
    stack: ExitStack
    started: dict[str, list[Running]] = field(default_factory=lambda: {name: [] for name in COMMANDS})

    def grow(self, name: str, count: int) -> None:
        """Start processes until there are so many."""
        while len(self.started[name]) < count:
            started = self.stack.enter_context(running(self.folder, *COMMANDS[name], settings=self.settings))
            self.started[name].append(started)

    def used(self) -> dict[str, float]:
        """Return the CPU time of each kind of process so far, of this one, and of PostgreSQL for them."""
        kinds = {name: sum(cpu_seconds(each.process.pid) for each in all_) for name, all_ in self.started.items()}
        name = urlsplit(self.settings["ADLEDGER_DATABASE_URL"]).path.removeprefix("/")
        return kinds | {"client": cpu_seconds(os.getpid()), "PostgreSQL": sum(backends(name).values())}

    def peaks(self) -> dict[str, float]:
        """Return the most memory that a process of each kind has held, in MiB."""
        return {name: max(peak_mib(each.process.pid) for each in all_) for name, all_ in self.started.items()}


@contextmanager
def fleet() -> Iterator[Fleet]:
    """Yield a fleet without processes."""
    with ExitStack() as stack:
        postgres, rabbitmq = stack.enter_context(postgres_server()), stack.enter_context(rabbitmq_server())
        url = stack.enter_context(database(postgres, EMPTY))
        migrate(url)
        topology = Topology(f"adledger-sizing-{uuid4().hex[:12]}")
        stack.callback(lambda: asyncio.run(delete_queues(rabbitmq, topology)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        names = ("ADLEDGER_DATABASE_URL", "ADLEDGER_AMQP_URL", "ADLEDGER_QUEUE_PREFIX")
        settings = dict(zip(names, (url, rabbitmq, topology.prefix), strict=True))
        yield Fleet(settings, folder, stack.enter_context(ExitStack()))


def measure(fleet: Fleet, options: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the tables."""
    for name in COMMANDS:
        fleet.grow(name, 1)
    with fleet.started["ingest"][0].http() as writes, fleet.started["query"][0].http() as reads:
        writes.timeout = httpx.Timeout(300)
        send(writes, reads, describing(options.groups))
        yield from _written(fleet, options, writes, reads)
    yield ""
    yield from _read(fleet, options)
    yield ""
    held = ", ".join(f"{name} {peak:.0f} MiB" for name, peak in fleet.peaks().items())
    yield f"The most memory that one process held at once: {held}."


def _written(fleet: Fleet, options: argparse.Namespace, writes: httpx.Client, reads: httpx.Client) -> Iterator[str]:
    yield "| consumers | rows/s | CPU seconds a million rows: ingest | consumers | PostgreSQL |"
    yield "|---:|---:|---:|---:|---:|"
    year = FIRST_YEAR
    for count in options.processes:
        fleet.grow("consumer", count)
        files = [stats(options.groups, year + each) for each in range(options.uploads)]
        year += options.uploads
        before = fleet.used()
        rows, seconds = send(writes, reads, files)
        used = {name: (after - before[name]) / rows * 1e6 for name, after in fleet.used().items()}
        spent = " | ".join(f"{used[name]:.1f}" for name in ("ingest", "consumer", "PostgreSQL"))
        yield f"| {count} | {rows / seconds:,.0f} | {spent} |"


def _read(fleet: Fleet, options: argparse.Namespace) -> Iterator[str]:
    yield "| query processes | reads/s | median, 99th percentile | CPU ms a read: query | PostgreSQL |"
    yield "|---:|---:|---:|---:|---:|"
    for count in options.processes:
        fleet.grow("query", count)
        urls = [each.url for each in fleet.started["query"]]
        before = fleet.used()
        done = asyncio.run(read(urls, options.seconds))
        used = {name: (after - before[name]) / done.count * 1e3 for name, after in fleet.used().items()}
        times = f"{done.median_ms:.1f} ms, {done.slow_ms:.1f} ms"
        spent = f"{used['query']:.2f} | {used['PostgreSQL']:.2f}"
        yield f"| {count} | {done.count / done.seconds:,.0f} | {times} | {spent} |"


def _conditions(options: argparse.Namespace) -> str:
    rows = options.groups * 365 * 2
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {os.getloadavg()[1]:.1f} of them wanted at the end"
    return (
        f"Everything on one machine ({machine}): {options.uploads} uploads of {rows:,} rows at each step, all of them "
        f"new keys; then reads of four kinds over 8 connections to each query process, for {options.seconds:.0f} s."
    )


def main() -> None:
    """Measure, then print the lines or write them into the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.sizing", description=__doc__)
    parser.add_argument("--groups", type=int, default=400, help="ad groups in a file; a file has 730 rows of each")
    parser.add_argument("--uploads", type=int, default=3, help="files at each step")
    parser.add_argument("--seconds", type=float, default=10, help="how long to read at each step")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 3], help="how many of a kind at each step")
    parser.add_argument("--write", action="store_true", help="write docs/operations.md instead of printing")
    options = parser.parse_args()
    with fleet() as started:
        lines = [*measure(started, options), "", _conditions(options)]
    if not options.write:
        sys.stdout.write("\n".join([*lines, ""]))
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text("\n".join([before + BEGIN, "", *lines, "", END + rest.partition(END)[2]]))


if __name__ == "__main__":
    main()
