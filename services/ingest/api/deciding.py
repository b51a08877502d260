"""What a whole file decides before any of its values is taken: how it writes numbers and days, and its currency."""

from typing import Any

import duckdb

from services.ingest.api.checks import Dialect
from services.ingest.api.dates import DateEvidence, decide
from services.ingest.api.lines import Lines
from services.ingest.api.money import CODES
from services.ingest.api.numbers import Evidence, uses_comma
from services.ingest.api.reading import Reading
from services.ingest.api.reading_options import ReadingOptions, decimal_comma
from shared.messages import Kind


def one(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the first row of an answer."""
    row: tuple[Any, ...] = cursor.execute(query).fetchall()[0]
    return row


def dialect(cursor: duckdb.DuckDBPyConnection, lines: Lines, options: ReadingOptions) -> tuple[Dialect, Evidence]:
    """Return how the file is written, and what its numbers show; raises `QuestionError` where two readings fit."""
    if lines.header.kind is not Kind.AD_GROUP_STATS:
        return Dialect(), Evidence()
    order = decide(_date_evidence(cursor, lines), options.date_order)
    evidence = _number_evidence(cursor, lines)
    comma = uses_comma(evidence, None if options.locale is None else decimal_comma(options.locale))
    return Dialect(comma, order, lines.header.none_marks), evidence


def signs(cursor: duckdb.DuckDBPyConnection, reading: Reading) -> list[str]:
    """Return every currency that the file states, in its header, its columns or beside its costs."""
    header = reading.lines.header
    if header.kind is not Kind.AD_GROUP_STATS:
        return []
    found = [*header.currencies, *(sign for (sign,) in cursor.execute(reading.signs()).fetchall())]
    if header.currency_places:
        cells = cursor.execute(reading.lines.currencies()).fetchall()
        found += [code for (code,) in cells if code in CODES]
    return found


def _date_evidence(cursor: duckdb.DuckDBPyConnection, lines: Lines) -> DateEvidence:
    ymd, *others = map(int, one(cursor, Reading(lines).date_evidence()))
    if any(others) and lines.have_plain_ones:
        ymd += int(one(cursor, f"SELECT count(*) FROM ({lines.plain_rows()})")[0])
    return DateEvidence(ymd, *others)


def _number_evidence(cursor: duckdb.DuckDBPyConnection, lines: Lines) -> Evidence:
    """Count over the odd lines, and as far as it matters over the plain ones, whose fractions all have a point."""
    point, comma, either = map(int, one(cursor, Reading(lines).number_evidence()))
    if not lines.have_plain_ones:
        return Evidence(point, comma, either)
    fractions = lines.plain_fractions()
    if not comma and cursor.execute(f"FROM ({fractions}) WHERE NOT grouped LIMIT 1").fetchall():
        return Evidence(point + 1, comma, either)
    plain_point, plain_either = map(
        int, one(cursor, f"SELECT count(*) FILTER (NOT grouped), count(*) FILTER (grouped) FROM ({fractions})")
    )
    return Evidence(point + plain_point, comma, either + plain_either)
