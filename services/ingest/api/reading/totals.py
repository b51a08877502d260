"""Rows that sum up others, and lines that are no rows at all: how they are told from data, and what they prove.

Pure: SQL expressions, and the comparison of a file's own totals with its rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.ingest.api.reading.checks import MICROS, is_missing
from services.ingest.api.reading.dates import PATTERNS, Order
from services.ingest.api.reading.numbers import SPACES, is_like, sql
from shared.reports import Reconciliation

LABEL = (
    r"(?i)\s*(?:(?:grand |sub)?totals?(?:\s*[:\x{2013}-].*|\s+(?:of|geral|general|général)\b.*)?|[^0-9:]+ totals?"
    r"|(?:totais|totale|gesamt(?:summe)?|summe)(?:\s*:.*)?|合計|総計|합계|총계)\s*"
)
"""What a total row calls itself."""

_LETTER = r"[A-Za-z\x{80}-\x{10ffff}]"
_COUNT = r"[0-9][0-9.,]*"
_SENTENCES = (
    rf"[^0-9]*{_LETTER}[^0-9]*:\s{_COUNT}[^0-9]*",
    rf"[^0-9]*{_LETTER}[^0-9]*\s{_COUNT}\s*[^0-9]*{_LETTER}[^0-9]*",
    rf"[^0-9]*{_LETTER}[^0-9]*\s[^0-9]*{_LETTER}[^0-9]*\s{_COUNT}[^0-9]*",
    rf"{_COUNT}\s*[^0-9]*{_LETTER}[^0-9]*",
)
_NOTICE = r"(?:\x{a9}|\([Cc]\)|(?i:copyright)\b).*|(?i:no data available)\.?"
FOOTER = rf"(?s)\s*(?:{_NOTICE}|{'|'.join(_SENTENCES)})\s*"
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


def _filled(cells: str) -> str:
    return f"list_filter({cells}, lambda cell: trim(cell, {sql(SPACES)}) <> '')"


def is_blank(cells: str) -> str:
    """Return the condition that a record has nothing in any cell."""
    return f"len({_filled(cells)}) = 0"


def is_footer(cells: str) -> str:
    """Return the condition that a record is a count of rows or a notice in one cell."""
    return f"(len({_filled(cells)}) = 1 AND {is_like(f'{_filled(cells)}[1]', FOOTER)})"


def is_labelled(cells: str, keys: Sequence[str], ids: Sequence[str]) -> str:
    """Return the condition that a record calls itself a total: in one of its keys, or elsewhere if it has no id."""
    in_key = " OR ".join(f"coalesce({is_label(text)}, false)" for text in keys)
    has_id = " OR ".join(f"coalesce({is_like(text, _ID)}, false)" for text in ids) or "false"
    return f"({in_key} OR ({has_label(cells)} AND NOT ({has_id})))"


def is_labelled_at_all(cells: str) -> str:
    """Return the condition that a record whose fields are not the header's begins with a label, and has no day."""
    day = is_like("trim(cell)", f"{PATTERNS[Order.YMD]}|{PATTERNS[Order.DMY]}")
    return f"({is_label(f'{cells}[1]')} AND len(list_filter({cells}, lambda cell: {day})) = 0)"


_ID = r"\s*\[?0*[1-9][0-9]*\]?\s*"


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
