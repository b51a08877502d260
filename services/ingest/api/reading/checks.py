"""Where a CSV column is checked: for each column, how its text becomes a value, and what is refused and why.

Pure: SQL expressions for DuckDB over a cell's text. The numbers go from text to DECIMAL to whole micros, rounded
half away from zero cell by cell, and never through floats.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from services.ingest.api.reading import dates
from services.ingest.api.reading.dates import Order
from services.ingest.api.reading.devices import DEVICE_NAMES
from services.ingest.api.reading.numbers import COMMA, POINT, SPACES, Writing, is_like, sql, without_sign
from services.ingest.api.reading.sources import Column
from shared.messages import DEVICE_CODES

CELL_LIMIT = 10**15
"""The largest count, or amount in micros, that a cell may hold."""
MICROS = 10**6
LARGER = "is larger than"
"""How the reason for refusing a cell begins that is a number, and too large for one."""
WHOLE = "is not a whole number"
NAME_LIMIT = 1000
ID_LIMIT = 2**63 - 1
MISSING = ("-", "--", "\N{EM DASH}", "\N{EN DASH}")
"""What exports write where they have no value."""


@dataclass(frozen=True)
class Dialect:
    """How a whole file writes its values; `none_marks` are what it writes for a count of none, besides 0."""

    comma: bool = False
    order: Order = Order.YMD
    none_marks: tuple[str, ...] = ()

    @property
    def writing(self) -> Writing:
        """How it writes numbers."""
        return COMMA if self.comma else POINT


@dataclass(frozen=True)
class Check:
    """How to read a cell: its value's expression, and (condition, reason) of each refusal in order.

    Where `none` holds, the value is 0 and nothing is refused.
    """

    value: str
    refusals: tuple[tuple[str, str], ...]
    none: str | None = None

    @property
    def value_sql(self) -> str:
        """The expression of the value."""
        return f"CASE WHEN {self.none} THEN 0 ELSE {self.value} END" if self.none else self.value

    @property
    def reason_sql(self) -> str:
        """The expression of why the cell is refused, NULL where it is not."""
        cases = [(self.none, "NULL")] if self.none else []
        cases += [(condition, sql(reason)) for condition, reason in self.refusals]
        return f"CASE {' '.join(f'WHEN {condition} THEN {result}' for condition, result in cases)} END"


def trimmed(column: Column, text: str) -> str:
    """Return the expression of a cell's text as it is checked: without what surrounds it and means nothing."""
    if column in _NAMES:
        return f"trim({text})"
    bare = f"trim({text}, {sql(SPACES)})"
    return f"regexp_replace({bare}, '^\\[([0-9]+)\\]$', '\\1')" if column in _IDS else bare


def is_missing(text: str) -> str:
    """Return the condition that a trimmed cell holds no value."""
    return f"({text} IS NULL OR {text} IN ('', {', '.join(map(sql, MISSING))}))"


def check(column: Column, text: str, dialect: Dialect, *, micros: bool = False) -> Check:
    """Return how the column's trimmed text is read; `micros` says that it counts millionths."""
    if micros:
        return replace(_count(text, dialect), none=None)
    return _CHECKS[column](text, dialect)


def number_text(column: Column, text: str) -> str:
    """Return the expression of a cell's number, without the currency that costs may have."""
    return without_sign(text) if column is Column.COST else text


def _missing(text: str) -> tuple[tuple[str, str], ...]:
    return ((f"{text} IS NULL OR {text} = ''", "is empty"), (is_missing(text), "is missing"))


def _negative(text: str) -> tuple[str, str]:
    return is_like(text, r"[-\x{2212}] ?[.,]?[0-9].*|\([.,]?[0-9][^)]*\)"), "is negative"


def _date(text: str, dialect: Dialect) -> Check:
    value = dates.value_sql(text, dialect.order)
    like = f"is not a date like {dates.EXAMPLES[dialect.order]}"
    refusals = (
        *_missing(text),
        (is_like(text, "[3-6][0-9]{4}"), f"{like}, but a day as spreadsheets count them"),
        (is_like(text, "([0-9]{1,2}[-/.]){2}[0-9]{2}"), f"{like}: its year has two digits"),
        (f"NOT {is_like(text, dates.PATTERNS[dialect.order])}", like),
        (f"{value} IS NULL", "is not a day of the calendar"),
        (f"{value} < DATE '2000-01-01'", "is before 2000-01-01"),
    )
    return Check(value, refusals)


def _id(text: str, _: Dialect) -> Check:
    value = f"TRY_CAST({text} AS BIGINT)"
    rounded = is_like(text, "[0-9]+([.,][0-9]+)?[eE][+]?[0-9]+([.,][0-9]+)?")
    grouped = is_like(text, f"[0-9]{{1,3}}([., '{SPACES}][0-9]{{3}})+")
    refusals = (
        *_missing(text),
        _negative(text),
        (rounded, "is an id that a spreadsheet has rounded; export it again as text"),
        (grouped, f"{WHOLE}: its digits are set apart like an amount's; export it again as text"),
        (
            is_like(text, "[0-9]+[.,]0+"),
            f"{WHOLE}, but an id that was made a decimal one, perhaps rounded; export it again as text",
        ),
        (f"NOT {is_like(text, '[0-9]+')}", WHOLE),
        (f"{value} IS NULL", f"is larger than any id ({ID_LIMIT})"),
    )
    return Check(value, refusals)


def _none(text: str, dialect: Dialect) -> str | None:
    return f"{text} IN ({', '.join(map(sql, dialect.none_marks))})" if dialect.none_marks else None


def _count(text: str, dialect: Dialect) -> Check:
    value = f"TRY_CAST({dialect.writing.plain(text)} AS BIGINT)"
    refusals = (
        *_missing(text),
        _negative(text),
        (f"NOT {is_like(text, dialect.writing.whole)}", WHOLE),
        (f"coalesce({value}, {CELL_LIMIT + 1}) > {CELL_LIMIT}", f"{LARGER} {CELL_LIMIT}"),
    )
    return Check(value, refusals, _none(text, dialect))


def _amount(text: str, dialect: Dialect) -> Check:
    decimal = f"TRY_CAST({dialect.writing.plain(text)} AS DECIMAL(24, 6))"
    value = f"TRY_CAST({decimal} * {MICROS} AS BIGINT)"
    refusals = (
        *_missing(text),
        _negative(text),
        (f"NOT {is_like(text, dialect.writing.amount)}", f"is not a number like 1234{dialect.writing.decimal}56"),
        (f"coalesce({decimal}, {CELL_LIMIT}) > {CELL_LIMIT // MICROS}", f"{LARGER} {CELL_LIMIT // MICROS}"),
    )
    return Check(value, refusals, _none(text, dialect))


def _cost(text: str, dialect: Dialect) -> Check:
    return replace(_amount(text, dialect), none=None)


def _name(text: str, _: Dialect) -> Check:
    refusals = (
        (f"length({text}) > {NAME_LIMIT}", f"is longer than {NAME_LIMIT} characters"),
        (f"contains({text}, chr(0))", "holds a NUL character"),
    )
    return Check(f"nullif({text}, '')", refusals)


def device_sql(text: str) -> str:
    """Return the expression of a device's code, NULL for a name we do not know."""
    codes = ", ".join(f"{sql(name)}: {DEVICE_CODES[device]}" for name, device in DEVICE_NAMES.items())
    return f"MAP {{{codes}}}[lower({text})]"


def _device(text: str, _: Dialect) -> Check:
    value = device_sql(text)
    unknown = f"is not a device we know ({', '.join(DEVICE_CODES)})"
    return Check(value, (*_missing(text), (f"{value} IS NULL", unknown)))


_IDS = frozenset({Column.CAMPAIGN_ID, Column.AD_GROUP_ID})
_NAMES = frozenset({Column.CAMPAIGN_NAME, Column.CAMPAIGN_TYPE, Column.AD_GROUP_NAME})
_CHECKS: dict[Column, Callable[[str, Dialect], Check]] = {
    Column.DATE: _date,
    Column.IMPRESSIONS: _count,
    Column.CLICKS: _count,
    Column.CONVERSIONS: _amount,
    Column.COST: _cost,
    Column.DEVICE: _device,
    **dict.fromkeys(_IDS, _id),
    **dict.fromkeys(_NAMES, _name),
}
