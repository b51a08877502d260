"""Reading alone, as the ingest API does it before anything is sent, beside plain DuckDB.

`python -m tests.bench.reading` measures it by itself. Each file is read in a process of its own. DuckDB is told all
that ours has to find out: encoding, delimiter, header, types, how numbers and devices are written. It reads, sums,
sorts and writes the same rows, and checks, reports and keeps nothing.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from services.ingest.api.reading.parsing import Parser
from tests.bench.data import Shape, write_stats
from tests.bench.figures import Figure, table
from tests.sizing.usage import peak_mib

COLUMNS = "date,ad_group_id,device,impressions,clicks,conversions,cost"
TYPES = {
    "date": "DATE",
    "ad_group_id": "BIGINT",
    "device": "VARCHAR",
    "impressions": "BIGINT",
    "clicks": "BIGINT",
    "conversions": "DECIMAL(24, 6)",
    "cost": "DECIMAL(24, 6)",
}
DEVICES = {"MOBILE": "Celulares", "DESKTOP": "Computadores", "TABLET": "Tablets"}
IN_PORTUGUESE = "MAP {" + ", ".join(f"'{ours}': '{theirs}'" for ours, theirs in DEVICES.items()) + "}[device]"
IN_ENGLISH = "MAP {" + ", ".join(f"'{theirs}': '{ours}'" for ours, theirs in DEVICES.items()) + "}[device]"
HEADER = "Dia{0}Campanha{0}ID do grupo de anúncios{0}Dispositivo{0}Impr.{0}Cliques{0}Conversões{0}Custo\n"


@dataclass(frozen=True)
class Form:
    """A way to write the same rows: what is selected for it, what stands above, and how plain DuckDB reads it."""

    title: str
    must: float | None = None
    written: str = COLUMNS
    top: str = f"{COLUMNS}\n"
    delimiter: str = ","
    encoding: str = "utf-8"
    read: str = COLUMNS
    options: str = f"header = false, skip = 1, columns = {TYPES}"


def _grouped(number: str) -> str:
    return f"replace(format('{{:,}}', {number}), ',', '.')"


def _with_comma(number: str) -> str:
    whole = _grouped(f"cast(floor({number}) AS BIGINT)")
    return f"{whole} || ',' || split_part(cast({number} AS VARCHAR), '.', 2)"


def _number(text: str) -> str:
    return f"replace(replace({text}, '.', ''), ',', '.')"


_BRAZILIAN = (
    f"date, 'Campanha ' || ad_group_id % 100, ad_group_id, {IN_PORTUGUESE}, {_grouped('impressions')}, clicks, "
    f"{_with_comma('conversions')}, {_with_comma('cost')}"
)
_BRAZILIAN_READ = (
    f"date, ad_group_id, {IN_ENGLISH} AS device, cast({_number('impressions')} AS BIGINT) AS impressions, clicks, "
    f"cast({_number('conversions')} AS DECIMAL(24, 6)) AS conversions, "
    f"cast({_number('cost')} AS DECIMAL(24, 6)) AS cost"
)
_BRAZILIAN_TYPES = {**TYPES, "impressions": "VARCHAR", "conversions": "VARCHAR", "cost": "VARCHAR"}
_BRAZILIAN_COLUMNS = {"date": "DATE", "campaign": "VARCHAR"} | _BRAZILIAN_TYPES
_BRAZILIAN_OPTIONS = f"header = false, skip = 3, columns = {_BRAZILIAN_COLUMNS}"

FORMS = {
    "clean": Form("reading a clean file", must=1.5),
    "bad": Form(
        "reading a file with 1 % bad rows",
        must=3.0,
        written="date, ad_group_id, device, impressions, "
        "if(hash(ad_group_id, date, device, cost) % 100 = 0, 'x', cast(clicks AS VARCHAR)), conversions, cost",
        options=f"header = false, skip = 1, ignore_errors = true, columns = {TYPES}",
    ),
    "google": Form(
        "reading a wholly odd file, quoted",
        written=_BRAZILIAN,
        top='Relatório\n"1 de janeiro de 2023 - 30 de dezembro de 2024"\n' + HEADER.format(","),
        read=_BRAZILIAN_READ,
        options=_BRAZILIAN_OPTIONS,
    ),
    "utf16": Form(
        "reading a wholly odd file in UTF-16",
        written=_BRAZILIAN,
        top="\ufeffRelatório\nTodo o período\n" + HEADER.format("\t"),
        delimiter="\t",
        encoding="utf-16-le",
        read=_BRAZILIAN_READ,
        options=f"{_BRAZILIAN_OPTIONS}, encoding = 'utf-16'",
    ),
}


Result = tuple[tuple[float, float], int, int, int]
"""The seconds of time and of CPU, and what it came to."""


@dataclass(frozen=True)
class Read:
    """What reading a file took, and what it came to: keys, and the sums of clicks and of micros of cost."""

    seconds: float
    cpu: float
    mib: float
    keys: int
    clicks: int
    cost: int


def write(form: Form, clean: Path, target: Path) -> Path:
    """Write the rows of a clean file in another form."""
    rows = target.with_suffix(".rows")
    query = f"SELECT {form.written} FROM read_csv('{clean}', header = true, columns = {TYPES})"
    duckdb.sql(f"COPY ({query}) TO '{rows}' (FORMAT csv, HEADER false, DELIMITER '{form.delimiter}')")
    with (
        rows.open(encoding="utf-8", newline="") as source,
        target.open("w", encoding=form.encoding, newline="") as file,
    ):
        file.write(form.top)
        shutil.copyfileobj(source, file, 1 << 20)
    rows.unlink()
    return target


def ours(path: Path, form: Form, folder: Path) -> Result:
    """Read it as the ingest API does."""
    del form
    parser = Parser(folder)
    began = time.perf_counter(), time.process_time()
    parsed = parser.parse(path, folder)
    took = time.perf_counter() - began[0], time.process_time() - began[1]
    return took, parsed.rows_accepted, int(parsed.totals.clicks), int(parsed.totals.cost)


def plain(path: Path, form: Form, folder: Path) -> Result:
    """Let DuckDB read, sum, sort and write it, with the types and the form given."""
    sums = "sum(impressions) AS impressions, sum(clicks) AS clicks, sum(conversions) AS conversions, sum(cost) AS cost"
    keys = "ad_group_id, date, device"
    source = f"read_csv('{path}', auto_detect = false, delim = '{form.delimiter}', quote = '\"', {form.options})"
    query = f"SELECT {keys}, {sums} FROM (SELECT {form.read} FROM {source}) GROUP BY {keys} ORDER BY {keys}"
    database = duckdb.connect(config={"temp_directory": str(folder)})
    began = time.perf_counter(), time.process_time()
    database.execute(f"COPY ({query}) TO '{folder / 'rows'}' (FORMAT csv, HEADER)")
    took = time.perf_counter() - began[0], time.process_time() - began[1]
    written = f"read_csv('{folder / 'rows'}', header = true, columns = {TYPES})"
    found = f"SELECT count(*), sum(clicks), sum(cast(cost * 1000000 AS HUGEINT)) FROM {written}"
    keys_found, clicks, cost = database.execute(found).fetchall()[0]
    return took, int(keys_found), int(clicks), int(cost)


SIDES: dict[str, Callable[[Path, Form, Path], Result]] = {"ours": ours, "plain": plain}


def apart(side: str, name: str, path: Path) -> Read:
    """Read a file in a process of its own."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "tests.bench.reading", "--read", side, name, str(path), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Read(**json.loads(done.stdout))


def here(side: str, name: str, path: str, folder: str) -> Read:
    """Read a file in this process."""
    took, *found = SIDES[side](Path(path), FORMS[name], Path(folder))
    return Read(*took, peak_mib("self"), *found)


def reading(clean: Path, folder: Path, rounds: int, names: Sequence[str] = tuple(FORMS)) -> list[Figure]:
    """Read the rows of a clean file in every form: ours, and plain DuckDB, in turn."""
    figures = []
    memory = Figure("memory of reading, the most", "MB", must=400, aim=250, ours=[0.0] * rounds)
    for name in names:
        form = FORMS[name]
        path = clean if name == "clean" else write(form, clean, folder / f"{name}.csv")
        figure = Figure(form.title, "s", "DuckDB", must=form.must)
        for number in range(rounds):
            mine, its = apart("ours", name, path), apart("plain", name, path)
            if (mine.keys, mine.clicks, mine.cost) != (its.keys, its.clicks, its.cost):
                raise AssertionError(f"{name}: {mine} and {its} differ")
            figure.ours.append(mine.seconds)
            figure.theirs.append(its.seconds)
            memory.ours[number] = max(memory.ours[number], mine.mib)
        size = path.stat().st_size / 1e6
        figure.note = f"{size:.0f} MB; {_used(mine)}, DuckDB {_used(its)}"
        figures.append(figure)
        if path != clean:
            path.unlink()
    return [*figures, memory]


def _used(read: Read) -> str:
    return f"{read.mib:.0f} MB of memory and {read.cpu:.1f} s of CPU"


def main() -> None:
    """Measure, or read one file in this process."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reading", description=__doc__)
    parser.add_argument("--rows", type=int, default=Shape.rows)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=FORMS, default=list(FORMS))
    parser.add_argument("--read", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.read:
        sys.stdout.write(json.dumps(vars(here(*asked.read))))
        return
    with tempfile.TemporaryDirectory(prefix="adledger-bench-") as folder:
        clean = write_stats(Shape(asked.rows), Path(folder) / "clean.csv")
        sys.stdout.write(f"{table(reading(clean, Path(folder), asked.rounds, asked.only))}\n")


if __name__ == "__main__":
    main()
