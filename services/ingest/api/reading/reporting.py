"""The report of how a file was read: what was understood, what was done, and what may be wrong with it.

Pure: no files, no database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.ingest.api.reading.checks import Dialect
from services.ingest.api.reading.envelope import Top
from services.ingest.api.reading.money import CODES, certain, clash
from services.ingest.api.reading.sources import Column
from shared.messages import Kind
from shared.reports import MappedColumn, Reconciliation, Report, TotalRow

PREAMBLE_LIMIT = 50
TEXT_LIMIT = 2000


class ClashError(ValueError):
    """A file that says two things at once; the message names both."""


@dataclass(frozen=True)
class Facts:
    """What was counted while a file was read."""

    dialect: Dialect
    has_fractions: bool
    currency: str | None = None
    rows_total: int = 0
    total_rows: Sequence[TotalRow] = ()
    reconciliation: Sequence[Reconciliation] = ()
    rounded: int = 0
    nones: int = 0
    clicked_over: int = 0
    dear_clicks: bool = False
    mixed: int = 0
    last_date: date | None = None


def one_currency(signs: Sequence[str]) -> str | None:
    """Return the currency that signs, codes and headers agree on; raises `ClashError` where they do not."""
    differing = clash(signs)
    if differing:
        raise ClashError(
            f"The file states amounts in more than one currency: {differing[0]} and {differing[1]}. "
            "Send one file for each.",
        )
    codes_first = sorted(signs, key=lambda sign: sign not in CODES)
    return next((code for code in map(certain, codes_first) if code), None)


def report(top: Top, encoding: str, facts: Facts) -> Report:
    """Return the report of a file."""
    header = top.header
    mapped = [MappedColumn(column=str(column), header=place.name) for column, place in header.places.items()]
    mapped += [MappedColumn(column=str(column), header=place.name) for column, place in header.twins]
    mapped += [MappedColumn(column=str(Column.CURRENCY), header=place.name) for place in header.currency_places]
    return Report(
        encoding=encoding,
        delimiter=top.delimiter,
        header_line=top.line,
        header=top.text,
        columns=mapped,
        ignored=header.ignored,
        locale=("comma" if facts.dialect.comma else "point") if facts.has_fractions else None,
        date_order=str(facts.dialect.order) if Column.DATE in header.places else None,
        currency=facts.currency,
        preamble=[line[:TEXT_LIMIT] for line in top.preamble[:PREAMBLE_LIMIT]],
        rows_total=facts.rows_total,
        total_rows=list(facts.total_rows),
        reconciliation=list(facts.reconciliation),
        notes=_notes(top, facts),
        warnings=_warnings(facts),
    )


def _notes(top: Top, facts: Facts) -> list[str]:
    header = top.header
    notes = []
    if header.ignored:
        notes.append(f"{len(header.ignored)} columns are not read.")
    if header.kind is Kind.AD_GROUP_STATS and Column.DEVICE not in header.places:
        notes.append("It has no device column: its numbers are said for the device UNKNOWN.")
    if header.kind is Kind.AD_GROUP_STATS and header.describes:
        kinds = " and ".join(f"?kind={kind}" for kind in header.describes)
        notes.append(f"It also describes its ad groups or campaigns: send it again with {kinds} to load that.")
    if facts.rounded:
        notes.append(f"{facts.rounded} amounts have more than six decimals and were rounded to six.")
    if facts.nones:
        notes.append(f"{facts.nones} counts are left blank, which is how this kind of export writes 0.")
    if facts.rows_total:
        notes.append(
            f"{facts.rows_total} rows are no data (totals, footers, blank ones, the header again) and were not loaded."
        )
    return notes


def _warnings(facts: Facts) -> list[str]:
    warnings = []
    if facts.last_date and facts.last_date > datetime.now(UTC).date():
        warnings.append(f"It has dates in the future, up to {facts.last_date}.")
    if facts.clicked_over:
        warnings.append(f"{facts.clicked_over} keys have more clicks than impressions.")
    if facts.dear_clicks:
        warnings.append(
            "Its costs are whole numbers and very large for the clicks. If they are in micros (millionths), call their "
            "column cost_micros, take this upload back and send the file again."
        )
    if facts.mixed:
        other = "point" if facts.dialect.comma else "comma"
        warnings.append(
            f"{facts.mixed} numbers are written with a decimal {other}, unlike the others; they are refused."
        )
    warnings.extend(_disagreement(each) for each in facts.reconciliation if not each.agrees)
    return warnings


def _disagreement(found: Reconciliation) -> str:
    micros = found.rows and found.total and max(found.rows / found.total, found.total / found.rows)
    hint = " One of them is in micros, it seems." if micros and abs(micros - 10**6) < 1 else ""
    return (
        f"The rows come to {found.rows:f} {found.metric}, but the file's own total on line {found.line} "
        f"says {found.total:f}.{hint}"
    )
