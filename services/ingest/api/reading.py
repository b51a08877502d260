"""What DuckDB is asked about a file: SQL over `read_csv`, built from a header and the checks of its columns.

Pure: text in, text out. A *numbered* file is one of our own making, whose first field is the line number
and which has no header row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.ingest.api.checks import reason_sql, value_sql
from services.ingest.api.columns import SHAPES, Column, Header
from services.ingest.api.records import LINE_LIMIT
from shared.messages import COLUMNS, DEVICE_CODES, Device, Kind

VALUE_LIMIT = 500
"""How many characters of a refused value are kept."""

RECORD_BYTES = 4 * LINE_LIMIT + 100
"""How many bytes a record may have, with its number."""

KEYS: Mapping[Kind, tuple[str, ...]] = {
    Kind.CAMPAIGNS: ("campaign_id",),
    Kind.AD_GROUPS: ("ad_group_id",),
    Kind.AD_GROUP_STATS: ("ad_group_id", "date", "device"),
}
"""What makes two rows of a file say something about the same thing."""

_OUR_NAMES: Mapping[Kind, Mapping[Column, str]] = {
    Kind.CAMPAIGNS: {Column.CAMPAIGN_NAME: "name", Column.CAMPAIGN_TYPE: "type"},
    Kind.AD_GROUPS: {Column.AD_GROUP_NAME: "name"},
    Kind.AD_GROUP_STATS: {},
}

_STRUCTURAL = f"""CASE IF(number < 0, 'MALFORMED', error_type)
    WHEN 'MISSING COLUMNS' THEN format('has {{}} fields, the header has {{}}', found - 1, $fields)
    WHEN 'TOO MANY COLUMNS' THEN format('has more fields than the header, which has {{}}', $fields)
    WHEN 'MALFORMED' THEN 'has a quoted field that does not end at its closing quote'
    WHEN 'INVALID ENCODING' THEN 'is not valid UTF-8'
    WHEN 'LINE SIZE OVER MAXIMUM' THEN 'is longer than {LINE_LIMIT} characters'
    ELSE error_message END"""


def literal(text: str | Path) -> str:
    """Return a string as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def escaped(expression: str) -> str:
    """Return the expression that escapes text for PostgreSQL's COPY; NUL, which it refuses, becomes its symbol."""
    pairs = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{SYMBOL FOR NULL}"}
    for raw, written in pairs.items():
        expression = f"replace({expression}, chr({ord(raw)}), {literal(written)})"
    return expression


@dataclass(frozen=True)
class Reading:
    """The questions about one file of a known header; `numbered` says which of its two forms is read."""

    header: Header
    path: Path
    delimiter: str
    numbered: bool

    def entries(self) -> str:
        """Return the query of the entries, one a key, and of one row without a key that counts refused rows."""
        kind = self.header.kind
        keys = ", ".join(f"CASE WHEN ok THEN {key} END AS {key}" for key in KEYS[kind])
        grouping = ", ".join(str(position + 1) for position in range(len(KEYS[kind])))
        merged = ", ".join(self._merge(name) for name in COLUMNS[kind][len(KEYS[kind]) :])
        return f"SELECT {keys}, {merged}, count(*) AS rows FROM ({self._checked()}) GROUP BY {grouping}"

    def refused_rows(self) -> str:
        """Return the query of the refused rows: line, column, value, reason; for a numbered file."""
        cases = [(name, f"r{position}") for name, position in self._refusals()]
        column = " ".join(f"WHEN {reason} IS NOT NULL THEN {literal(name)}" for name, reason in cases)
        value = " ".join(f"WHEN {reason} IS NOT NULL THEN coalesce(t{reason[1:]}, '')" for _, reason in cases)
        return f"""SELECT line, {escaped(f"CASE {column} END")} AS "column",
            {escaped(f"substr(CASE {value} END, 1, {VALUE_LIMIT})")} AS value, reason
            FROM ({self._checked()}) WHERE NOT ok"""

    def refused_records(self) -> str:
        """Return the query of the records that are no rows, in the columns of `refused_rows`."""
        after_number = f"rtrim(substr(csv_line, strpos(csv_line, {literal(self.delimiter)}) + 1), chr(10))"
        unquoted = "replace(substr(text, 2, length(text) - 2), '\"\"', '\"')"
        value = f"substr(min(IF(number < 0, {unquoted}, text)), 1, {VALUE_LIMIT})"
        reason = f"min({_STRUCTURAL.replace('$fields', str(len(self.header.names)))})"
        return f"""SELECT abs(number) AS line, NULL AS "column", {escaped(value)} AS value, {escaped(reason)} AS reason
            FROM (SELECT error_type, error_message, {after_number} AS text,
                         CAST(split_part(csv_line, {literal(self.delimiter)}, 1) AS BIGINT) AS number,
                         TRY_CAST(regexp_extract(error_message, 'Found: ([0-9]+)', 1) AS INTEGER) AS found
                  FROM reject_errors)
            GROUP BY number"""

    def _merge(self, name: str) -> str:
        if self.header.kind is Kind.AD_GROUP_STATS:
            return f"sum({name}) AS {name}"
        return f"arg_max({name}, line) FILTER ({name} IS NOT NULL) AS {name}"

    def _checked(self) -> str:
        """Return the query of every row: its values, whether it is accepted, and the first reason if not."""
        shape = SHAPES[self.header.kind].columns
        values = ", ".join(f"{self._value(column)} AS {self._name(column)}" for column in shape)
        reasons = ", ".join(f"r{position}" for _, position in self._refusals())
        return f"SELECT *, coalesce({reasons}) AS reason, reason IS NULL AS ok, {values} FROM ({self._reasoned()})"

    def _reasoned(self) -> str:
        reasons = ", ".join(
            f"{reason_sql(column, f't{position}')} AS r{position}" for column, position in self.header.positions.items()
        )
        return f"SELECT *, {reasons} FROM ({self._trimmed()})"

    def _trimmed(self) -> str:
        positions = range(len(self.header.names))
        texts = ", ".join(f"trim(c{position}) AS t{position}" for position in positions)
        line = "CAST(line AS BIGINT) AS line" if self.numbered else "0 AS line"
        return f"SELECT {line}, {texts} FROM {self._source()}"

    def _source(self) -> str:
        names = [*(["line"] if self.numbered else []), *(f"c{i}" for i in range(len(self.header.names)))]
        columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
        return f"""read_csv({literal(self.path)}, auto_detect = false, header = {not self.numbered},
            delim = {literal(self.delimiter)}, quote = '"', escape = '"', columns = {{{columns}}},
            max_line_size = {RECORD_BYTES}, store_rejects = true)"""

    def _value(self, column: Column) -> str:
        if column not in self.header.positions:
            return str(DEVICE_CODES[Device.UNKNOWN]) if column is Column.DEVICE else "NULL::VARCHAR"
        return value_sql(column, f"t{self.header.positions[column]}")

    def _name(self, column: Column) -> str:
        return _OUR_NAMES[self.header.kind].get(column, str(column))

    def _refusals(self) -> list[tuple[str, int]]:
        return [(self.header.names[position].strip(), position) for position in self.header.positions.values()]
