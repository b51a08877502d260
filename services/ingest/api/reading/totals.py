"""Rows that sum up others, and lines that are no rows at all: how they are told from data, and what they prove.

Pure: SQL expressions, and the comparison of a file's own totals with its rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.ingest.api.reading.checks import MICROS, is_missing
from services.ingest.api.reading.numbers import is_like
from shared.reports import Reconciliation

LABEL = (
    r"(?i)\s*(?:(?:grand |sub)?totals?(?:\s*[:\x{2013}-].*|\s+(?:of|geral|general|général)\b.*)?|[^0-9:]+ totals?"
    r"|(?:totais|totale|gesamt(?:summe)?|summe)(?:\s*:.*)?|合計|総計|합계|총계)\s*"
)
"""What a total row calls itself."""

FOOTER = (
    r"(?is)\s*(?:(?:\x{a9}|\(c\)|copyright\b).*|no data available\.?"
    r"|[^0-9]*[[:alpha:]\x{80}-\x{10ffff}][^0-9]*\s[0-9][0-9.,]*[^0-9]*|[0-9][0-9.,]*\s*[^0-9]*[[:alpha:]\x{80}-\x{10ffff}][^0-9]*)\s*"
)
"""What may stand in one cell below the rows: a notice, or a sentence with one number."""

TOLERANCE = Decimal("0.005"), Decimal("0.01")
"""How far the sum of rows may be from the file's total: so much a row, and so much in any case."""


def is_label(text: str) -> str:
    """Return the condition that a cell calls its row a total."""
    return is_like(text, LABEL)


def has_label(cells: str) -> str:
    """Return the condition that some cell of a list does."""
    return f"len(list_filter({cells}, lambda cell: {is_label('cell')})) > 0"


LABEL_OF = f"list_filter(s, lambda cell: {is_like('cell', LABEL)})[1]"
"""The expression of what the record with the cells `s` calls itself."""


def is_footer(cells: str) -> str:
    """Return the condition that a record is a count of rows or a notice in one cell, or has nothing in any."""
    filled = f"list_filter({cells}, lambda cell: trim(cell) <> '')"
    return f"(len({filled}) = 0 OR (len({filled}) = 1 AND {is_like(f'{filled}[1]', FOOTER)}))"


def is_keyless(keys: Sequence[tuple[str, str]]) -> str:
    """Return the condition that each of a row's keys is right, missing or a label, and not all are right.

    `keys` are the text of each and the reason why it is refused, which is NULL where it is right.
    """
    each = [f"({reason} IS NULL OR {is_missing(text)} OR {is_label(text)})" for text, reason in keys]
    some = " OR ".join(f"{reason} IS NOT NULL" for _, reason in keys)
    return f"({' AND '.join(each)} AND ({some}))"


@dataclass(frozen=True)
class Stated:
    """What a file's total rows of one label come to: micros for amounts; None where they leave a metric out."""

    line: int
    values: tuple[Decimal | None, ...]


def reconcile(
    metrics: Sequence[str], sums: Sequence[Decimal], rows: int, stated: Iterable[Stated]
) -> list[Reconciliation]:
    """Return each metric's sum beside the file's total: that total which agrees in most metrics, or the first."""
    candidates = [
        [
            _compare(name, total, value, rows, each.line)
            for name, total, value in zip(metrics, sums, each.values, strict=True)
            if value is not None
        ]
        for each in stated
    ]
    return max(candidates, key=lambda found: sum(each.agrees for each in found), default=[])


def _compare(metric: str, total: Decimal, stated: Decimal, rows: int, line: int) -> Reconciliation:
    unit = MICROS if metric in {"conversions", "cost"} else 1
    mine, its = Decimal(total) / unit, Decimal(stated) / unit
    agrees = abs(mine - its) <= TOLERANCE[0] * rows + TOLERANCE[1]
    return Reconciliation(metric=metric, rows=mine, total=its, line=line, agrees=agrees)
