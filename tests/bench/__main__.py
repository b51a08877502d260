"""`python -m tests.bench`: measure, print the table, write the same as JSON and a picture of time against rows."""

import argparse
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import loads, reads
from tests.bench.data import add_shape, as_shape
from tests.bench.figures import Figure, table
from tests.bench.loads import Files
from tests.bench.machine import busy, machine
from tests.bench.reading import reading
from tests.bench.stage import Servers, template
from tests.bench.textbook import BENCH_PYTHON
from tests.support.servers import postgres_server, rabbitmq_server

SIZES = (10_000, 100_000, 1_000_000)
FULL_SIZES = (*SIZES, 3_000_000, 10_000_000)
PARTS = ("load", "pipeline", "reading", "small", "growth", "backlog", "reads", "demo")


def main() -> int:
    """Measure what is asked for and return 0, or 1 when a bound that must hold is missed."""
    # So that everything that was started is ended, too, when the bench is told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    began = time.monotonic()
    with _servers() as servers:
        about = machine(servers)
        _say(f"{about}\n{busy()} at the start")
        files = Files(as_shape(arguments), servers.folder)
        figures, grown = _measure(servers, files, arguments)
    result = {
        "machine": about,
        "load": busy(),
        "arguments": vars(arguments) | {"out": str(arguments.out)},
        "seconds": round(time.monotonic() - began),
        "figures": [figure.as_json() for figure in figures],
        **grown,
    }
    _say(f"\n{table(figures)}\n\n{about}\n{busy()} at the end; {result['seconds']} s")
    _write(result, arguments.out)
    return 1 if any(figure.verdict() == "MISSED" for figure in figures) else 0


def _measure(servers: Servers, files: Files, asked: argparse.Namespace) -> tuple[list[Figure], dict[str, Any]]:
    figures: list[Figure] = []
    grown: dict[str, Any] = {}
    parts = asked.only or PARTS
    if "load" in parts or "pipeline" in parts:
        _say("first load and full replacement")
        figures += loads.first_and_replacement(servers, files, asked.rounds)
    if "pipeline" in parts:
        _say("row by row through FastStream")
        figures.append(loads.against_pipeline(servers, files, figures[0], asked.rounds))
    if "reading" in parts:
        _say("reading alone")
        figures += reading(files.first, servers.folder, asked.rounds)
    if "small" in parts:
        _say("small uploads")
        figures.append(loads.small_uploads(servers, files, asked.rounds, asked.small))
    if "growth" in parts:
        _say("time against rows")
        sizes = [size for size in (FULL_SIZES if asked.full else SIZES) if asked.full or size <= asked.rows]
        figure, times = loads.growth(servers, files, sizes, asked.rounds)
        figures.append(figure)
        grown = {"sizes": sizes, "times": times}
    if "backlog" in parts:
        _say("a backlog, for one consumer and for two")
        figures.append(loads.second_consumer(servers, files, asked.rounds, min(loads.BACKLOG_ROWS, asked.rows)))
    if "reads" in parts:
        _say("cold reads")
        figures += reads.reading(servers, files, asked.rounds, _say)
    if "demo" in parts:
        figures.append(loads.demo())
    return figures, grown


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add_shape(parser)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=loads.SMALL_UPLOADS, help="how many small uploads")
    parser.add_argument("--full", action="store_true", help="up to 10 million rows, and five rounds at least")
    parser.add_argument("--only", nargs="*", choices=PARTS)
    parser.add_argument(
        "--out", type=Path, default=Path("build/bench"), help="the folder for result.json and the picture"
    )
    arguments = parser.parse_args()
    if arguments.full:
        arguments.rounds = max(arguments.rounds, 5)
    return arguments


@contextmanager
def _servers() -> Iterator[Servers]:
    folder = Path(tempfile.mkdtemp(prefix="adledger-bench-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = stack.enter_context(postgres_server())
        rabbitmq = stack.enter_context(rabbitmq_server())
        yield Servers(postgres, rabbitmq, stack.enter_context(template(postgres)), folder)


def _write(result: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "result.json"
    source.write_text(json.dumps(result, indent=1))
    if "times" in result:
        picture = Path(__file__).with_name("picture.py")
        subprocess.run([BENCH_PYTHON, picture, source, folder / "time-against-rows.png"], check=True)
    _say(f"written to {folder}")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
