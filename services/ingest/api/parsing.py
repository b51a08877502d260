"""From a spooled file to its accepted rows, aggregated and sorted, and its refused ones with their reasons.

DuckDB does the reading. A clean stats file is read once. Where a row is refused, or the order of rows
matters, the file is first rewritten with a line number before each record, so that the number travels with
the row whatever else happens to it.
"""

import csv
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import duckdb

from services.ingest.api.columns import Header, HeaderError, recognise
from services.ingest.api.reading import KEYS, Reading, escaped, literal
from services.ingest.api.records import RecordError, bounded_lines, records
from shared.messages import COLUMNS, Bounds, Kind, Totals
from shared.reports import Report

DELIMITERS = (",", "\t", ";", "|")
BIGINT_LIMIT = 2**63 - 1
SNIFFED_BYTES = 8192
_TEXT_OUTPUT = "(FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '', NULLSTR '\\N')"


class UnreadableFileError(ValueError):
    """A file that cannot be understood as a whole; the message says why, and what would be understood."""


class NotTextError(UnreadableFileError):
    """A file that is no text at all."""


@dataclass(frozen=True)
class Parsed:
    """An understood file: `rows` and `rejections` are files in COPY text format, sorted by key and by line."""

    kind: Kind
    rows: Path
    rejections: Path
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    totals: Totals
    bounds: Bounds | None
    report: Report | None = None


class Parser:
    """One DuckDB instance, which many files may be parsed with; `parse` blocks, call it in a thread."""

    def __init__(self, spill: Path, memory_limit: str = "160MB") -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._database = duckdb.connect(":memory:", config=config)

    def close(self) -> None:
        """Give back DuckDB's memory and files."""
        self._database.close()

    def parse(self, source: Path, work: Path, kind: Kind | None = None) -> Parsed:
        """Read the file `source` and write its rows and rejections under `work`.

        Raises `NotTextError` or `UnreadableFileError`. Without a `kind` the header row tells it.
        """
        delimiter, header = _read_header(source, kind)
        clean = header.kind is Kind.AD_GROUP_STATS and self._parse_clean(source, work, header, delimiter)
        return clean or self._parse_numbered(source, work, header, delimiter)

    def _parse_clean(self, source: Path, work: Path, header: Header, delimiter: str) -> Parsed | None:
        """Read the file as it is; None when a row is refused, so that the lines must be known."""
        with self._cursor() as cursor:
            try:
                cursor.execute(
                    f"CREATE TEMP TABLE entries AS {Reading(header, source, delimiter, numbered=False).entries()}"
                )
            except duckdb.Error:
                return None
            refused = _row(cursor, "SELECT count(*) FROM entries WHERE ad_group_id IS NULL")[0]
            if refused or _row(cursor, "SELECT count(*) FROM reject_errors")[0]:
                return None
            (work / "rejections").touch()
            return _write(cursor, work, header.kind, rejected=0)

    def _parse_numbered(self, source: Path, work: Path, header: Header, delimiter: str) -> Parsed:
        numbered = work / "numbered"
        _number(source, numbered, delimiter)
        reading = Reading(header, numbered, delimiter, numbered=True)
        with self._cursor() as cursor:
            try:
                cursor.execute(f"CREATE TEMP TABLE entries AS {reading.entries()}")
                cursor.execute("CREATE TEMP TABLE refused_records AS " + reading.refused_records())
                refusals = f"{reading.refused_rows()} UNION ALL FROM refused_records ORDER BY line"
                rejected = _copy(cursor, refusals, work / "rejections")
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                # Ours to mend, not the file's.
                raise
            except duckdb.Error as error:
                raise UnreadableFileError(f"The file cannot be read: {str(error).splitlines()[0]}") from error
            numbered.unlink()
            return _write(cursor, work, header.kind, rejected)

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection with temporary tables of its own, gone with it."""
        cursor = self._database.cursor()
        try:
            yield cursor
        finally:
            cursor.close()


def _read_header(source: Path, kind: Kind | None) -> tuple[str, Header]:
    """Return the delimiter and what the header row says; the delimiter is the one it can be understood with."""
    with source.open("rb") as file:
        if b"\0" in file.read(SNIFFED_BYTES):
            raise NotTextError("The file is binary. Send CSV text in UTF-8; spreadsheets can export it.")
    errors = []
    for delimiter in DELIMITERS:
        names = _first_record(source, delimiter)
        try:
            return delimiter, recognise(names, kind)
        except HeaderError as error:
            errors.append((len(names), error))
    raise UnreadableFileError(str(max(errors, key=lambda pair: pair[0])[1]))


def _first_record(source: Path, delimiter: str) -> list[str]:
    with _open_text(source) as text:
        record = next((record for _, record in _records(text, delimiter)), None)
    if record is None:
        raise UnreadableFileError("The file is empty.")
    try:
        return next(csv.reader([_printable(record)], delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableFileError(f"The header row cannot be read: {error}.") from error


def _printable(text: str) -> str:
    """Return text that can be shown and sent: bytes that are no UTF-8 become replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _number(source: Path, numbered: Path, delimiter: str) -> None:
    """Write the file's records, without the header, each after its line number."""
    with _open_text(source) as text, numbered.open("w", encoding="utf-8", errors="surrogateescape") as target:
        for line, record in itertools.islice(_records(text, delimiter), 1, None):
            target.write(f"{line}{delimiter}{record}")


def _records(text: TextIO, delimiter: str) -> Iterator[tuple[int, str]]:
    try:
        yield from records(bounded_lines(text), delimiter)
    except RecordError as error:
        raise UnreadableFileError(str(error)) from error


def _open_text(path: Path) -> TextIO:
    # Bytes that are no UTF-8 pass through unchanged: DuckDB refuses just the rows that hold them.
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline=None)


def _write(cursor: duckdb.DuckDBPyConnection, work: Path, kind: Kind, rejected: int) -> Parsed:
    """Write the sorted entries and return what there is to say about them."""
    key = KEYS[kind][0]
    accepted, rows = _row(cursor, f"SELECT count(*), coalesce(sum(rows), 0) FROM entries WHERE {key} IS NOT NULL")
    if accepted + rejected == 0:
        raise UnreadableFileError("The file has a header row, but no rows.")
    totals, bounds = _summary(cursor) if kind is Kind.AD_GROUP_STATS and accepted else (Totals(), None)
    columns = ", ".join(escaped(name) if name in {"name", "type"} else name for name in COLUMNS[kind])
    _copy(
        cursor, f"SELECT {columns} FROM entries WHERE {key} IS NOT NULL ORDER BY {', '.join(KEYS[kind])}", work / "rows"
    )
    return Parsed(
        kind=kind,
        rows=work / "rows",
        rejections=work / "rejections",
        rows_read=int(rows) + rejected,
        rows_accepted=accepted,
        rows_merged=int(rows) - accepted,
        rows_rejected=rejected,
        totals=totals,
        bounds=bounds,
    )


def _summary(cursor: duckdb.DuckDBPyConnection) -> tuple[Totals, Bounds]:
    metrics = ("impressions", "clicks", "conversions", "cost")
    sums = ", ".join(f"sum({name}), max({name})" for name in metrics)
    extent = "min(date), max(date), min(ad_group_id), max(ad_group_id)"
    row = _row(cursor, f"SELECT {sums}, {extent} FROM entries WHERE ad_group_id IS NOT NULL")
    for name, largest in zip(metrics, row[1:8:2], strict=True):
        if largest > BIGINT_LIMIT:
            raise UnreadableFileError(f"The rows of one key add up to more {name} than can be stored ({largest}).")
    totals = Totals(**{name: Decimal(total) for name, total in zip(metrics, row[0:8:2], strict=True)})
    return totals, Bounds(first_date=row[8], last_date=row[9], first_ad_group=row[10], last_ad_group=row[11])


def _copy(cursor: duckdb.DuckDBPyConnection, query: str, target: Path) -> int:
    return int(_row(cursor, f"COPY ({query}) TO {literal(target)} {_TEXT_OUTPUT}")[0])


def _row(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] = cursor.execute(query).fetchall()[0]
    return row
