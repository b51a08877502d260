"""Where a CSV column is checked: for each column, how its text becomes a value, and what is refused and why.

Pure: SQL expressions for DuckDB, over `{text}`, which is a cell's trimmed text. The numbers go from text to
DECIMAL to whole micros, rounded half away from zero cell by cell, and never through floats.
"""

from dataclasses import dataclass

from services.ingest.api.columns import Column
from shared.messages import DEVICE_CODES

CELL_LIMIT = 10**15
"""The largest count, or amount in micros, that a cell may hold."""
MICROS = 10**6
NAME_LIMIT = 1000
ID_LIMIT = 2**63 - 1


@dataclass(frozen=True)
class Check:
    """How to read a column: the value's SQL expression, and (condition, reason) of each refusal in order."""

    value: str
    refusals: tuple[tuple[str, str], ...]


EMPTY = ("{text} IS NULL OR {text} = ''", "is empty")
NEGATIVE = ("starts_with({text}, '-') AND regexp_full_match({text}, '-[.]?[0-9].*')", "is negative")

_DATE = Check(
    "TRY_CAST({text} AS DATE)",
    (
        EMPTY,
        ("NOT regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')", "is not a date like 2024-01-31"),
        ("TRY_CAST({text} AS DATE) IS NULL", "is not a day of the calendar"),
        ("TRY_CAST({text} AS DATE) < DATE '2000-01-01'", "is before 2000-01-01"),
    ),
)

_ID = Check(
    "TRY_CAST({text} AS BIGINT)",
    (
        EMPTY,
        NEGATIVE,
        (
            "regexp_full_match({text}, '[0-9]+([.,][0-9]+)?[eE][+][0-9]+')",
            "is an id that a spreadsheet has rounded; export it again as text",
        ),
        ("NOT regexp_full_match({text}, '[0-9]+')", "is not a whole number"),
        ("TRY_CAST({text} AS BIGINT) IS NULL", f"is larger than any id ({ID_LIMIT})"),
    ),
)

_COUNT = Check(
    "TRY_CAST({text} AS BIGINT)",
    (
        EMPTY,
        NEGATIVE,
        ("NOT regexp_full_match({text}, '[0-9]+')", "is not a whole number"),
        (f"coalesce(TRY_CAST({{text}} AS BIGINT), {CELL_LIMIT + 1}) > {CELL_LIMIT}", f"is larger than {CELL_LIMIT}"),
    ),
)

_AMOUNT_DECIMAL = "TRY_CAST({text} AS DECIMAL(24, 6))"
_AMOUNT = Check(
    f"TRY_CAST({_AMOUNT_DECIMAL} * {MICROS} AS BIGINT)",
    (
        EMPTY,
        NEGATIVE,
        (
            "NOT regexp_full_match({text}, '([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{{1,2}})?')",
            "is not a number like 1234.56",
        ),
        (
            f"coalesce({_AMOUNT_DECIMAL}, {CELL_LIMIT}) > {CELL_LIMIT // MICROS}",
            f"is larger than {CELL_LIMIT // MICROS}",
        ),
    ),
)

_NAME = Check(
    "nullif({text}, '')",
    (
        (f"length({{text}}) > {NAME_LIMIT}", f"is longer than {NAME_LIMIT} characters"),
        ("contains({text}, chr(0))", "holds a NUL character"),
    ),
)

_CODES = ", ".join(f"'{device}': {code}" for device, code in DEVICE_CODES.items())
_DEVICE = Check(
    f"MAP {{{{{_CODES}}}}}[upper({{text}})]",
    (
        EMPTY,
        (
            f"upper({{text}}) NOT IN ({', '.join(repr(str(device)) for device in DEVICE_CODES)})",
            f"is not a device we know ({', '.join(DEVICE_CODES)})",
        ),
    ),
)

CHECKS: dict[Column, Check] = {
    Column.DATE: _DATE,
    Column.CAMPAIGN_ID: _ID,
    Column.CAMPAIGN_NAME: _NAME,
    Column.CAMPAIGN_TYPE: _NAME,
    Column.AD_GROUP_ID: _ID,
    Column.AD_GROUP_NAME: _NAME,
    Column.DEVICE: _DEVICE,
    Column.IMPRESSIONS: _COUNT,
    Column.CLICKS: _COUNT,
    Column.CONVERSIONS: _AMOUNT,
    Column.COST: _AMOUNT,
}


def value_sql(column: Column, text: str) -> str:
    """Return the expression of the value that the text expression `text` stands for."""
    return CHECKS[column].value.format(text=text)


def reason_sql(column: Column, text: str) -> str:
    """Return the expression of why the text is refused, NULL where it is not."""
    cases = " ".join(
        f"WHEN {condition.format(text=text)} THEN '{reason}'" for condition, reason in CHECKS[column].refusals
    )
    return f"CASE {cases} END"
