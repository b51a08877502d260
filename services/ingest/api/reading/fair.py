"""What DuckDB is asked about odd lines that are written well, in the file's own way, once that is known.

Pure: text in, text out. Such lines hold nothing to refuse, to round or to count: they are read by casts, as plain
ones are, and need not be judged cell by cell.
"""

from dataclasses import dataclass

from services.ingest.api.reading.checks import Dialect
from services.ingest.api.reading.dates import Order
from services.ingest.api.reading.lines import DECIMAL, PLAIN, Lines, in_micros
from services.ingest.api.reading.money import SIGN
from services.ingest.api.reading.numbers import GAP, is_like, without_sign
from services.ingest.api.reading.sources import Column

_SAFE, _ANY = "(?:0[1-9]|1[0-9]|2[0-8])", "(?:0[1-9]|1[0-2])"
_YEAR = "[-/.]20[0-9]{2}"
_DAYS = {
    Order.YMD: PLAIN[Column.DATE],
    Order.DMY: f"(?:{_SAFE}[-/.]{_ANY}|(?:29|30)[-/.](?:0[13-9]|1[0-2])|31[-/.](?:0[13578]|1[02])){_YEAR}",
    Order.MDY: f"(?:{_ANY}[-/.]{_SAFE}|(?:0[13-9]|1[0-2])[-/.](?:29|30)|(?:0[13578]|1[02])[-/.]31){_YEAR}",
}
"""Days that are in every year's calendar, written with all their digits."""
_DASHED = " || '-' || "
_PARTS = {Order.DMY: ((7, 4), (4, 2), (1, 2)), Order.MDY: ((7, 4), (1, 2), (4, 2))}
"""Where year, month and day stand, and how long they are."""


@dataclass(frozen=True)
class Fair:
    """The fair lines of one file, of which the table `odd` holds all that are not plain."""

    lines: Lines
    dialect: Dialect
    signed: bool = False

    @property
    def may_be_there(self) -> bool:
        """Whether lines of this file are tried as fair ones."""
        return self.lines.are_simple and self.dialect.order in _DAYS

    def condition(self) -> str:
        """Return the condition that a line of `odd` is one."""
        return f"(n > 0 AND {is_like('l', self.lines.pattern(self._pattern))})" if self.may_be_there else "false"

    def rows(self) -> str:
        """Return the query of their values, with the line `n` of each, in columns of the names of `Judging.rows`."""
        cells = f"SELECT n, {self.lines.split()} AS s FROM odd WHERE {self.condition()}"
        return f"SELECT {self.lines.values(self._value)}, n FROM ({cells})"

    def last(self) -> str:
        """Return the query of the number of the last one."""
        return f"SELECT max(n) FROM odd WHERE {self.condition()}"

    def _pattern(self, column: Column) -> str:
        if column is Column.DATE:
            return _DAYS[self.dialect.order]
        if column in {Column.IMPRESSIONS, Column.CLICKS}:
            return self._whole(15)
        if column not in {Column.CONVERSIONS, Column.COST}:
            return PLAIN[column]
        decimal = self.dialect.writing.decimal
        amount = self._whole(9) + (f"(?:[{decimal}][0-9]{{1,6}})?" if self._stands_in_cells(decimal) else "")
        signed = self.signed and column is Column.COST
        return f"(?:(?:{SIGN}{GAP})?{amount}|{amount}{GAP}{SIGN})" if signed else amount

    def _whole(self, digits: int) -> str:
        group = self.dialect.writing.group
        grouped = (
            f"|[1-9][0-9]{{0,2}}(?:[{group}][0-9]{{3}}){{1,{digits // 3 - 1}}}" if self._stands_in_cells(group) else ""
        )
        return f"(?:[0-9]{{1,{digits}}}{grouped})"

    def _stands_in_cells(self, mark: str) -> bool:
        """Whether a cell can hold the mark: what separates cells does not stand in them."""
        return mark != self.lines.flat.separator

    def _value(self, column: Column, cell: str) -> str | None:
        if column is Column.DATE:
            return self._day(cell)
        plain = self.dialect.writing.plain(without_sign(cell) if self.signed and column is Column.COST else cell)
        if column in {Column.IMPRESSIONS, Column.CLICKS}:
            return f"CAST({plain} AS BIGINT)"
        if column in {Column.CONVERSIONS, Column.COST}:
            return in_micros(f"CAST({plain} AS {DECIMAL})")
        return None

    def _day(self, cell: str) -> str:
        if self.dialect.order is Order.YMD:
            return f"CAST({cell} AS DATE)"
        parts = [f"substr({cell}, {at}, {length})" for at, length in _PARTS[self.dialect.order]]
        return f"CAST({_DASHED.join(parts)} AS DATE)"
