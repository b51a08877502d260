"""What DuckDB is asked about the lines of a flat file: all of them, the plain ones, and the odd ones.

Pure: text in, text out. A line is *plain* when every cell of it is written the way our own files are: such lines
are read at once, by casts. All others are *odd*: they are set aside in the table `odd`, and judged cell by cell.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.ingest.api.reading.checks import device_sql
from services.ingest.api.reading.columns import SHAPES, Header
from services.ingest.api.reading.devices import DEVICE_NAMES
from services.ingest.api.reading.flat import Flat
from services.ingest.api.reading.numbers import is_like, sql
from services.ingest.api.reading.records import LINE_LIMIT
from services.ingest.api.reading.sources import Column
from shared.messages import DEVICE_CODES, Device, Kind

RECORD_BYTES = 4 * LINE_LIMIT + 100
"""How many bytes a record may have, with its number."""

BUFFER_BYTES = 4 * RECORD_BYTES
"""How much is read at once by each thread; DuckDB would take sixteen times the longest record."""

PLAIN_COLUMNS = 60
"""How many columns a file may have for its lines to be tried as plain ones: the pattern grows with them."""

_WHOLE = "[0-9]{1,15}"
_AMOUNT = "[0-9]{1,9}(?:[.][0-9]{1,6})?"
_LEAP_YEARS = "20(?:[02468][048]|[13579][26])"
_DAYS = "(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
PLAIN = {
    Column.DATE: f"(?:20[0-9]{{2}}-(?:{_DAYS})|{_LEAP_YEARS}-02-29)",
    Column.AD_GROUP_ID: "[0-9]{1,18}",
    Column.DEVICE: f"(?i:{'|'.join(map(re.escape, DEVICE_NAMES))})",
    Column.IMPRESSIONS: _WHOLE,
    Column.CLICKS: _WHOLE,
    Column.CONVERSIONS: _AMOUNT,
    Column.COST: _AMOUNT,
}
"""How cells of our own files are written."""
DECIMAL = "DECIMAL(15, 6)"
"""What any well written amount fits in, and DuckDB is fast with: eight bytes."""
_TYPES = {_WHOLE: "BIGINT", "[0-9]{1,18}": "BIGINT", _AMOUNT: DECIMAL}
UNKNOWN = f"CAST({DEVICE_CODES[Device.UNKNOWN]} AS INTEGER)"
_GROUPED_LIKE = "[1-9][0-9]{0,2}[.][0-9]{3}"
"""An amount that with a decimal comma would be another, whole number."""


@dataclass(frozen=True)
class Lines:
    """The lines of one file of a known header; `may_be_plain` is false where all shall be judged cell by cell."""

    header: Header
    flat: Flat
    may_be_plain: bool = True

    @property
    def have_plain_ones(self) -> bool:
        """Whether lines of this file are tried as plain ones."""
        return self.may_be_plain and self.are_simple

    @property
    def are_simple(self) -> bool:
        """Whether one pattern can tell a whole line that is well written."""
        header = self.header
        return header.kind is Kind.AD_GROUP_STATS and not header.twins and len(header.names) <= PLAIN_COLUMNS

    def records(self) -> str:
        """Return the query of all records: the line's number `n`, negative for a malformed one, and its text `l`."""
        if self.flat.numbered:
            return f"SELECT n, l FROM ({self._source()})"
        numbered = f"SELECT l, row_number() OVER () AS r FROM ({self._source()})"
        return f"SELECT r + {self.flat.skip} AS n, l FROM ({numbered}) WHERE l IS NOT NULL"

    def odd(self) -> str:
        """Return the query of the records that are not plain."""
        return f"FROM ({self.records()})" + (f" WHERE NOT {self._is_plain()}" if self.have_plain_ones else "")

    def an_odd_one(self) -> str:
        """Return the query of one odd record, without its number: lines are numbered by one thread, and this is not."""
        return f"SELECT l FROM ({self._source()}) WHERE l IS NOT NULL AND NOT {self._is_plain()} LIMIT 1"

    def plain_rows(self) -> str:
        """Return the query of the values on plain lines."""
        return f"SELECT {self.values()} FROM ({self._plain_cells()})"

    def values(self, otherwise: Callable[[Column, str], str | None] = lambda _, __: None) -> str:
        """Return the values of a line's cells `s`, read as plain ones where nothing is read otherwise."""
        return ", ".join(f"{self._value(column, otherwise)} AS {column}" for column in SHAPES[self.header.kind].columns)

    def wholly_plain_rows(self) -> str:
        """Return the query of the values of a file of which every line is plain, so that its cells need no look."""
        types = {column: _TYPES.get(PLAIN[column], "VARCHAR") for column in self.header.places} | {Column.DATE: "DATE"}
        read = {
            place.position: "BIGINT" if place.micros else types[column] for column, place in self.header.places.items()
        }
        columns = {f"c{at}": read.get(at, "VARCHAR") for at in range(len(self.header.names))}
        numbered = {"n": "BIGINT"} if self.flat.numbered else {}
        listed = ", ".join(f"{name}: '{kind}'" for name, kind in (numbered | columns).items())
        values = ", ".join(f"{self._typed(column)} AS {column}" for column in SHAPES[self.header.kind].columns)
        return f"SELECT {values} FROM {self._file(self.flat.separator, listed)}"

    def _typed(self, column: Column) -> str:
        if column not in self.header.places:
            return UNKNOWN
        place = self.header.places[column]
        cell = f"c{place.position}"
        if column is Column.DEVICE:
            return device_sql(cell)
        return in_micros(cell) if PLAIN[column] is _AMOUNT and not place.micros else cell

    def plain_fractions(self) -> str:
        """Return the query of the amounts with a fraction on plain lines, and whether a comma would make them whole."""
        places = [place for column, place in self.header.places.items() if PLAIN[column] is _AMOUNT]
        cells = ", ".join(f"s[{place.position + 1}]" for place in places if not place.micros) or "NULL::VARCHAR"
        fractions = f"SELECT unnest([{cells}]) AS cell FROM ({self._plain_cells()})"
        return f"SELECT {is_like('cell', _GROUPED_LIKE)} AS grouped FROM ({fractions}) WHERE contains(cell, '.')"

    def last_plain(self) -> str:
        """Return the query of the last plain line's number."""
        return f"SELECT max(n) FROM ({self.records()}) WHERE {self._is_plain() if self.have_plain_ones else 'false'}"

    def currencies(self) -> str:
        """Return the query of what stands in the columns of currencies."""
        cells = ", ".join(f"upper(trim(s[{place.position + 1}]))" for place in self.header.currency_places)
        return f"SELECT DISTINCT unnest([{cells}]) FROM (SELECT {self.split()} AS s FROM ({self._source()}))"

    def split(self) -> str:
        """Return the expression of the cells of a line."""
        return f"string_split(l, {sql(self.flat.separator)})"

    def _plain_cells(self) -> str:
        return f"SELECT {self.split()} AS s FROM ({self._source()}) WHERE {self._is_plain()}"

    def _is_plain(self) -> str:
        return is_like("l", self.pattern(PLAIN.__getitem__))

    def pattern(self, of: Callable[[Column], str]) -> str:
        """Return the pattern of a line, made of those of its columns; micros are whole."""
        columns = {place.position: (column, place.micros) for column, place in self.header.places.items()}
        any_text = f"[^{re.escape(self.flat.separator)}]*"
        cells = []
        for position in range(len(self.header.names)):
            column, micros = columns.get(position, (None, False))
            cells.append(any_text if column is None else _WHOLE if micros else of(column))
        return re.escape(self.flat.separator).join(cells)

    def _value(self, column: Column, otherwise: Callable[[Column, str], str | None]) -> str:
        if column not in self.header.places:
            return UNKNOWN
        place = self.header.places[column]
        cell = f"s[{place.position + 1}]"
        special = None if place.micros else otherwise(column, cell)
        if special is not None:
            return special
        if column is Column.DATE:
            return f"CAST({cell} AS DATE)"
        if column is Column.DEVICE:
            return device_sql(cell)
        if PLAIN[column] is _AMOUNT and not place.micros:
            return in_micros(f"CAST({cell} AS {DECIMAL})")
        return f"CAST({cell} AS BIGINT)"

    def _source(self) -> str:
        flat = self.flat
        source = self._file(flat.absent, "l: 'VARCHAR'")
        if not flat.numbered:
            return f"SELECT l FROM {source}"
        at = f"strpos(l, {sql(flat.separator)})"
        return f"SELECT CAST(left(l, {at} - 1) AS BIGINT) AS n, substr(l, {at} + 1) AS l FROM {source}"

    def _file(self, delimiter: str, columns: str) -> str:
        return f"""read_csv({sql(str(self.flat.path))}, auto_detect = false, header = false, skip = {self.flat.skip},
            delim = {sql(delimiter)}, quote = '', escape = '', columns = {{{columns}}},
            max_line_size = {RECORD_BYTES}, buffer_size = {BUFFER_BYTES})"""


def in_micros(amount: str) -> str:
    """Return the expression of an amount in millionths: in two steps, of which none has more than 18 digits."""
    return f"CAST(CAST({amount} * 1000 AS DECIMAL(18, 3)) * 1000 AS BIGINT)"
