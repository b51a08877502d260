"""How days are written, and which of the ways a file uses.

Pure: SQL expressions for DuckDB over a cell's trimmed text, and the decision over what was counted.
"""

from dataclasses import dataclass, fields
from enum import StrEnum

from services.ingest.api.reading.numbers import QuestionError, is_like, sql


class Order(StrEnum):
    """The order of year, month and day; `WORDS` names the month, so that it needs none."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"
    WORDS = "words"


_ZONE = "(?: ?(?:Z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?))?"
_CLOCK = f"(?:,?[ T][0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.][0-9]+)?)?(?: ?[AaPp][Mm])?{_ZONE})?(?:[|][0-9]{{1,2}})?"
"""A time of day, which does not matter."""

_MONTHS = {
    1: "jan ene",
    2: "feb fev fév",
    3: "mar mär",
    4: "apr abr avr",
    5: "may mai mayo",
    6: "jun juin",
    7: "jul juil",
    8: "aug ago aoû",
    9: "sep set",
    10: "oct out okt",
    11: "nov",
    12: "dec dez dic déc",
}
_NUMBERS = {prefix: number for number, prefixes in _MONTHS.items() for prefix in prefixes.split()}
_MONTH = "(" + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")[a-zçéû]{0,8}[.]?"
_WEEKDAY = "(?:[[:alpha:]áçéä-]{2,14}[.]?, ?)?"
_DAY_FIRST = f"{_WEEKDAY}([0-9]{{1,2}})(?:[.]|st|nd|rd|th|º)?[ -](?:de )?{_MONTH},?[ -](?:de )?([0-9]{{4}}){_CLOCK}"
_MONTH_FIRST = f"{_WEEKDAY}{_MONTH} ([0-9]{{1,2}})(?:st|nd|rd|th)?,? ([0-9]{{4}}){_CLOCK}"
_YMD = f"([0-9]{{4}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_CLOCK}"
_NUMERIC = f"([0-9]{{1,2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{4}}){_CLOCK}"

PATTERNS = {
    Order.YMD: f"(?:{_YMD}|[0-9]{{8}})",
    Order.DMY: _NUMERIC,
    Order.MDY: _NUMERIC,
    Order.WORDS: f"(?i:{_DAY_FIRST}|{_MONTH_FIRST})",
}
EXAMPLES = {Order.YMD: "2024-01-31", Order.DMY: "31/01/2024", Order.MDY: "01/31/2024", Order.WORDS: "Jan 31, 2024"}


def value_sql(text: str, order: Order) -> str:
    """Return the expression of the day, NULL where the text is none in this order."""
    if order is Order.WORDS:
        return _words_sql(text)
    if order is Order.YMD:
        text = f"regexp_replace({text}, '^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})$', '\\1-\\2-\\3')"
    pattern = {Order.YMD: _YMD}.get(order, _NUMERIC)
    year, month, day = {Order.YMD: (1, 2, 3), Order.DMY: (3, 2, 1), Order.MDY: (3, 1, 2)}[order]
    return _day(*(f"regexp_extract({text}, {sql(f'^{pattern}$')}, {group})" for group in (year, month, day)))


def _words_sql(text: str) -> str:
    lowered = f"lower({text})"
    parts = []
    for pattern, year, month, day in ((_DAY_FIRST, 3, 2, 1), (_MONTH_FIRST, 3, 1, 2)):
        found = [f"regexp_extract({lowered}, {sql(f'^{pattern.lower()}$')}, {group})" for group in (year, month, day)]
        number = f"MAP {{{', '.join(f'{sql(prefix)}: {number}' for prefix, number in _NUMBERS.items())}}}[{found[1]}]"
        parts.append(_day(found[0], f"CAST({number} AS VARCHAR)", found[2]))
    return f"coalesce({', '.join(parts)})"


def _day(year: str, month: str, day: str) -> str:
    return f"TRY_CAST({year} || '-' || lpad({month}, 2, '0') || '-' || lpad({day}, 2, '0') AS DATE)"


@dataclass(frozen=True)
class DateEvidence:
    """How many cells are written in each way.

    `either` could be day first or month first, to another day; `same` is one day either way.
    """

    ymd: int = 0
    dmy: int = 0
    mdy: int = 0
    either: int = 0
    same: int = 0
    words: int = 0


def way_sql(text: str) -> str:
    """Return the expression of how a day is written, as a position in `DateEvidence`; NULL where it is none."""
    dmy, mdy = (value_sql(text, order) for order in (Order.DMY, Order.MDY))
    numeric = f"""CASE WHEN {dmy} IS NULL AND {mdy} IS NULL THEN NULL
        WHEN {mdy} IS NULL THEN 1 WHEN {dmy} IS NULL THEN 2 WHEN {dmy} <> {mdy} THEN 3 ELSE 4 END"""
    return f"""CASE WHEN {is_like(text, PATTERNS[Order.YMD])} THEN 0
        WHEN {is_like(text, PATTERNS[Order.DMY])} THEN {numeric}
        WHEN {is_like(text, PATTERNS[Order.WORDS])} THEN 5 END"""


def counts_sql(way: str) -> str:
    """Return the columns that count days by how they are written, in the order of `DateEvidence`."""
    return ", ".join(f"count(*) FILTER ({way} = {position})" for position in range(len(fields(DateEvidence))))


def decide(found: DateEvidence, said: str | None) -> Order:
    """Return how a file writes its days: as was said, or as its cells show; raises `QuestionError`."""
    numeric = found.dmy + found.mdy + found.either + found.same
    if said is not None:
        return Order.WORDS if said == Order.YMD and found.words > found.ymd else Order(said)
    if found.ymd >= max(numeric, found.words):
        return Order.YMD
    if found.words >= numeric:
        return Order.WORDS
    if found.either and bool(found.dmy) is bool(found.mdy):
        raise QuestionError(
            "Its dates can be read in two ways: 03/04/2024 may be in March or in April. "
            "Say which: ?date_order=dmy (day first) or ?date_order=mdy (month first)."
            + (f" {found.dmy} dates can only be day first, {found.mdy} only month first." if found.dmy else ""),
        )
    return Order.DMY if found.dmy >= found.mdy else Order.MDY
