"""A file of stats of which one cell matters."""

from tests.support.reading import Outcome

HEADER = ("date", "ad_group_id", "device", "impressions", "clicks", "conversions", "cost")
GOOD = ("2025-05-13", "7", "MOBILE", "500", "25", "2", "454.06")
SUMS = (500, 25, 2_000_000, 454_060_000)
COLUMNS = ("ad_group_id", "date", "device", "impressions", "clicks", "conversions", "cost")


def content(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> bytes:
    """Return a file with tabs."""
    return "".join("\t".join(cells) + "\n" for cells in (header, *rows)).encode()


def with_cell(column: str, cell: str, **others: str) -> tuple[str, ...]:
    """Return a row that is good but for a cell, perhaps."""
    cells = dict(zip(HEADER, GOOD, strict=True)) | {column: cell} | others
    return tuple(cells.values())


def value(outcome: Outcome, column: str) -> list[object]:
    """The values of one column of stats, in the order of the keys."""
    return [(*key, *values)[COLUMNS.index(column)] for key, values in outcome.sums.items()]


def refused_columns(outcome: Outcome | str) -> list[str | None] | str:
    """The columns of the refused rows, or why the whole file is refused."""
    return outcome if isinstance(outcome, str) else [each.column for each in outcome.refused]
