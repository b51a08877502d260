"""What a whole file decides before any of its values is taken: how it writes numbers and days, and its currency."""

from dataclasses import dataclass, fields, replace
from typing import Any

import duckdb

from services.ingest.api.reading import dates
from services.ingest.api.reading.checks import Dialect
from services.ingest.api.reading.dates import DateEvidence
from services.ingest.api.reading.judging import Judging
from services.ingest.api.reading.lines import Lines
from services.ingest.api.reading.money import CODES
from services.ingest.api.reading.numbers import Evidence, uses_comma
from services.ingest.api.reading.options import ReadingOptions, decimal_comma
from shared.messages import Kind


def one(cursor: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """Return the first row of an answer."""
    row: tuple[Any, ...] = cursor.execute(query).fetchall()[0]
    return row


@dataclass(frozen=True)
class Decision:
    """How a file is written, what its numbers show, what currencies it states, and whether beside its amounts."""

    dialect: Dialect
    numbers: Evidence
    signs: list[str]
    signed: bool = False


def decide(cursor: duckdb.DuckDBPyConnection, lines: Lines, options: ReadingOptions) -> Decision:
    """Return what the lines and the table `odd` decide; raises `QuestionError` where two readings fit."""
    if lines.header.kind is not Kind.AD_GROUP_STATS:
        return Decision(Dialect(), Evidence(), [])
    has_odd = one(cursor, "SELECT count(*) FROM odd")[0]
    found: tuple[Any, ...] = one(cursor, Judging(lines).evidence()) if has_odd else _NOTHING
    *counts, signs = found
    days, numbers = DateEvidence(*counts[:_DAYS]), Evidence(*counts[_DAYS:])
    order = dates.decide(_with_plain_days(cursor, lines, days), options.date_order)
    numbers = _with_plain_numbers(cursor, lines, numbers)
    comma = uses_comma(numbers, said=None if options.locale is None else decimal_comma(options.locale))
    dialect = Dialect(comma, order, lines.header.none_marks)
    return Decision(dialect, numbers, [*(signs or []), *_codes(cursor, lines)], signed=bool(signs))


_DAYS = len(fields(DateEvidence))
_NOTHING = (*[0] * (_DAYS + len(fields(Evidence))), None)


def _codes(cursor: duckdb.DuckDBPyConnection, lines: Lines) -> list[str]:
    """Return the currencies that the header names, and those in its columns of currencies."""
    if not lines.header.currency_places:
        return list(lines.header.currencies)
    cells = cursor.execute(lines.currencies()).fetchall()
    return [*lines.header.currencies, *(code for (code,) in cells if code in CODES)]


def _with_plain_days(cursor: duckdb.DuckDBPyConnection, lines: Lines, odd: DateEvidence) -> DateEvidence:
    """Add the days on plain lines, which are all written alike, where that can matter."""
    if not lines.have_plain_ones or odd == DateEvidence(ymd=odd.ymd):
        return odd
    return replace(odd, ymd=odd.ymd + int(one(cursor, f"SELECT count(*) FROM ({lines.plain_rows()})")[0]))


def _with_plain_numbers(cursor: duckdb.DuckDBPyConnection, lines: Lines, odd: Evidence) -> Evidence:
    """Add the numbers on plain lines, whose fractions all have a point, as far as they can matter."""
    if not lines.have_plain_ones:
        return odd
    fractions = lines.plain_fractions()
    if not odd.comma and cursor.execute(f"FROM ({fractions}) WHERE NOT grouped LIMIT 1").fetchall():
        return replace(odd, point=odd.point + 1)
    grouped = f"SELECT count(*) FILTER (NOT grouped), count(*) FILTER (grouped) FROM ({fractions})"
    point, either = one(cursor, grouped)
    return replace(odd, point=odd.point + point, either=odd.either + either)
