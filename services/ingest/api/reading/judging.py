"""What DuckDB is asked about the odd lines of a file: SQL over a table of them, built from a header and a dialect.

Pure: text in, text out. Each of its records is a row, or it is set aside in the table `aside`: as a total, or as
refused with its first reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.ingest.api.reading.checks import LARGER, Check, Dialect, check, is_missing, number_text, trimmed
from services.ingest.api.reading.columns import METRICS, SHAPES, Place
from services.ingest.api.reading.dates import counts_sql, way_sql
from services.ingest.api.reading.joined import is_again
from services.ingest.api.reading.lines import Lines
from services.ingest.api.reading.money import SIGN
from services.ingest.api.reading.numbers import sql, way_of_number
from services.ingest.api.reading.sources import Column
from services.ingest.api.reading.totals import (
    LABEL_OF,
    is_blank,
    is_footer,
    is_keyless,
    is_labelled,
    is_labelled_at_all,
)
from shared.messages import COLUMNS, DEVICE_CODES, Device, Kind

VALUE_LIMIT = 500
"""How many characters of a refused value are kept."""

KEYS: Mapping[Kind, tuple[Column, ...]] = {
    Kind.CAMPAIGNS: (Column.CAMPAIGN_ID,),
    Kind.AD_GROUPS: (Column.AD_GROUP_ID,),
    Kind.AD_GROUP_STATS: (Column.AD_GROUP_ID, Column.DATE, Column.DEVICE),
}
"""What makes two rows of a file say something about the same thing."""

OUR_NAMES: Mapping[Kind, Mapping[Column, str]] = {
    Kind.CAMPAIGNS: {Column.CAMPAIGN_NAME: "name", Column.CAMPAIGN_TYPE: "type"},
    Kind.AD_GROUPS: {Column.AD_GROUP_NAME: "name"},
    Kind.AD_GROUP_STATS: {},
}
OUR_DIALECT = Dialect()
_COUNTS = (Column.IMPRESSIONS, Column.CLICKS)
_MANY_NAMES = 3
"""How many columns of days, devices, ids and names make a row about everything when only one is filled."""
_SEVERAL_NAMES = 2
"""How many columns of ids and names must be blank for a row to be about everything, although it has a date."""


def escaped(expression: str) -> str:
    """Return the expression that escapes text for PostgreSQL's COPY; NUL, which it refuses, becomes its symbol."""
    pairs = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{SYMBOL FOR NULL}"}
    for raw, written in pairs.items():
        expression = f"replace({expression}, chr({ord(raw)}), {sql(written)})"
    return expression


@dataclass(frozen=True)
class Judging:
    """The questions about the odd lines of one file, written in a dialect."""

    lines: Lines
    dialect: Dialect = OUR_DIALECT
    table: str = "odd"

    def evidence(self) -> str:
        """Return the query of what the odd records of stats show: a `DateEvidence`, an `Evidence`, currency signs."""
        at, metrics = self.lines.header.places[Column.COST].position, self._metrics()
        signed = f"t{at} <> u{at} AND regexp_matches(u{at}, '[0-9]')"
        signs = f"list(DISTINCT regexp_extract(t{at}, {sql(SIGN)})) FILTER ({signed})"
        ways = [f"{way_sql(self._text(Column.DATE))} AS day"]
        ways += [f"{way_of_number(self._text(column), whole=column in _COUNTS)} AS {column}" for column in metrics]
        numbers = (" + ".join(f"count(*) FILTER ({column} = {way})" for column in metrics) or "0" for way in (1, 2, 3))
        cells = f"SELECT *, {', '.join(ways)} FROM ({self._cells()}) WHERE fault IS NULL"
        return f"SELECT {counts_sql('day')}, {', '.join(numbers)}, {signs} FROM ({cells})"

    def rows(self) -> str:
        """Return the query of the odd records that are rows: the values of each, and its line `n`."""
        return f"SELECT {self._columns()}, n FROM judged WHERE reason IS NULL"

    def plain_rows(self, *, wholly: bool) -> str:
        """Return the query of the plain rows, in the columns of `rows`; `wholly` says that the file has no others."""
        values = self.lines.wholly_plain_rows() if wholly else self.lines.plain_rows()
        return f"SELECT {self._columns()}, 0::BIGINT AS n FROM ({values})"

    def entries(self, rows: str) -> str:
        """Return the query of the entries, one a key, over rows."""
        kind = self.lines.header.kind
        keys = ", ".join(KEYS[kind])
        merged = ", ".join(self._merge(name) for name in COLUMNS[kind][len(KEYS[kind]) :])
        return f"SELECT {keys}, {merged}, count(*) AS rows FROM ({rows}) GROUP BY {keys}"

    def judged(self) -> str:
        """Return the query of every odd record: its values, and the first reason against it.

        The other questions are put to what it finds, the table or view `judged`.
        """
        header = self.lines.header
        values = ", ".join(f"{self._value(column)} AS {self._name(column)}" for column in SHAPES[header.kind].columns)
        reasons = ", ".join(f"{self._check(column).reason_sql} AS r{at}" for column, at in header.positions.items())
        first = ", ".join(f"r{at}" for at in header.positions.values())
        reasoned = f"SELECT *, {reasons} FROM ({self._cells()})"
        return f"SELECT *, coalesce(fault, {first}) AS reason, {values} FROM ({reasoned})"

    def refused(self) -> str:
        """Return the query of the odd records that are no rows."""
        return "FROM judged WHERE reason IS NOT NULL"

    def aside(self) -> str:
        """Return the query, over the table `refused`, of what is to be said of the records that are no rows."""
        places = [(f"r{at}", f"t{at}", self.lines.header.names[at].strip()) for at in self._positions()]
        column = " ".join(f"WHEN {reason} IS NOT NULL THEN {sql(name)}" for reason, _, name in places)
        value = " ".join(f"WHEN {reason} IS NOT NULL THEN coalesce({text}, '')" for reason, text, _ in places)
        void = f"{is_blank('s')} OR {is_again(self.lines.header, 'l', 's')}"
        return f"""SELECT abs(n) AS line, l, reason,
            CASE WHEN fault IS NULL THEN CASE {column} END END AS "column",
            substr(CASE WHEN fault IS NULL THEN CASE {value} END ELSE l END, 1, {VALUE_LIMIT}) AS value,
            n > 0 AND ({self._sums_up()} OR {void}) AS sums_up, n > 0 AND ({is_footer("s")} OR {void}) AS footer,
            {LABEL_OF} AS label, {self._has_device()} AS has_device, {self._stated()}
            FROM refused"""

    def peculiarities(self) -> str:
        """Return the query of a `Peculiarities`: records that are no rows, amounts too fine, counts left out for 0."""
        amounts = [column for column in self._metrics() if column in {Column.CONVERSIONS, Column.COST}]
        plain = [self.dialect.writing.plain(self._text(column)) for column in amounts]
        finer = [f"TRY_CAST({text} AS DECIMAL(38, 20)) <> TRY_CAST({text} AS DECIMAL(24, 6))" for text in plain]
        nones = [mark for column in self._metrics() if (mark := self._check(column).none)]
        count = "count(*) FILTER (reason IS NULL AND {})"
        counted = [" + ".join(map(count.format, conditions)) or "0" for conditions in (finer, nones)]
        return f"SELECT count(reason), {', '.join(counted)} FROM judged"

    def twin(self, column: Column, place: Place) -> str:
        """Return the query of the first row in which another column of the same meaning says something else."""
        mine = self._check(column).value_sql
        text = trimmed(column, self._cell(place.position))
        other = check(column, number_text(column, text), self.dialect, micros=place.micros).value_sql
        return f"""SELECT n, t{self.lines.header.places[column].position}, {text} FROM judged
            WHERE reason IS NULL AND {mine} IS DISTINCT FROM {other} ORDER BY n LIMIT 1"""

    def _cells(self) -> str:
        texts = []
        for column, at in self.lines.header.positions.items():
            text = trimmed(column, self._cell(at))
            texts.append(f"{text} AS t{at}, {number_text(column, text)} AS u{at}")
        split = f"SELECT n, l, {self.lines.split()} AS s FROM {self.table}"
        return f"SELECT n, l, s, {self._fault()} AS fault, {', '.join(texts)} FROM ({split})"

    def _fault(self) -> str:
        """Return the expression of what is wrong with a record as a whole."""
        names = self.lines.header.names
        needed = max(at for at, name in enumerate(names, 1) if name.strip())
        more = f"len(list_filter(s[{len(names) + 1}:], lambda c: trim(c) <> '')) > 0"
        beyond = f"CASE WHEN len(s) > {len(names)} THEN {more} ELSE false END"
        return f"""CASE WHEN n < 0 THEN 'has a quoted field that does not end at its closing quote'
            WHEN len(s) < {needed} THEN format('has {{}} fields, the header has {{}}', len(s), {len(names)})
            WHEN {beyond} THEN 'has more fields than the header, which has {len(names)}' END"""

    def _sums_up(self) -> str:
        """Return the condition that a record is a total: it calls itself so, or nothing says what it is about."""
        header = self.lines.header
        keys = [header.places[key].position for key in KEYS[header.kind] if key in header.places]
        device = header.positions.get(Column.DEVICE)
        keyless = is_keyless([(f"t{at}", f"r{at}") for at in keys if at != device])
        several = len(header.identities) >= _SEVERAL_NAMES
        about = [*header.identities, *([] if device is None else [device])] if several else [*header.identities, *keys]
        nameless = " AND ".join(is_missing(trimmed(Column.DATE, self._cell(at))) for at in dict.fromkeys(about))
        nearly = self._nearly_nameless()
        named = is_labelled("s", [f"t{at}" for at in keys if at != device], list(map(self._cell, header.ids)))
        labelled = f"IF(fault IS NULL, {keyless} AND {named}, {is_labelled_at_all('s')})"
        return f"({labelled} OR (fault IS NULL AND (({nameless}) OR {nearly}) AND {self._states()}))"

    def _nearly_nameless(self) -> str:
        """Return the condition that of a row's many names, ids and days one is a text, and all others are blank."""
        header = self.lines.header
        keys = [header.places[key].position for key in KEYS[header.kind] if key in header.places]
        dimensions = list(dict.fromkeys([*keys, *header.identities]))
        if len(dimensions) < _MANY_NAMES:
            return "false"
        blanks = " + ".join(f"{is_missing(trimmed(Column.DATE, self._cell(at)))}::INT" for at in dimensions)
        no_key = " AND ".join(f"r{at} IS NOT NULL" for at in keys)
        return f"({blanks} = {len(dimensions) - 1} AND {no_key})"

    def _has_device(self) -> str:
        place = self.lines.header.places.get(Column.DEVICE)
        return "false" if place is None else f"(fault IS NULL AND NOT {is_missing(f't{place.position}')})"

    def _stated(self) -> str:
        """Return the metrics that a record states, as far as they can be read."""
        stated = []
        for column in METRICS:
            is_there = column in self.lines.header.places and self.lines.header.kind is Kind.AD_GROUP_STATS
            value = f"IF(fault IS NULL AND {self._is_stated(column)}, {column}, NULL)" if is_there else "NULL::BIGINT"
            stated.append(f"{value} AS stated_{column}")
        return ", ".join(stated)

    def _states(self) -> str:
        """Return the condition that a record states some metric, and none that cannot be read."""
        metrics = [column for column in METRICS if column in self.lines.header.places]
        stated = " OR ".join(map(self._is_stated, metrics)) or "false"
        read = [f"({self._is_stated(column)} OR {is_missing(self._text(column))})" for column in metrics] or ["true"]
        return f"(({stated}) AND {' AND '.join(read)})"

    def _is_stated(self, column: Column) -> str:
        at = self.lines.header.places[column].position
        # A total may well be larger than any cell of a row.
        is_number = f"(r{at} IS NULL OR starts_with(r{at}, {sql(LARGER)}))"
        return f"({is_number} AND {column} IS NOT NULL AND NOT {is_missing(f'u{at}')})"

    def _merge(self, name: str) -> str:
        if self.lines.header.kind is Kind.AD_GROUP_STATS:
            # A smaller type than that of sums, which sorts faster; NULL, which no sum is, where it is too large.
            return f"TRY_CAST(sum({name}) AS BIGINT) AS {name}"
        return f"arg_max({name}, n) FILTER ({name} IS NOT NULL) AS {name}"

    def _columns(self) -> str:
        kind = self.lines.header.kind
        return ", ".join([*KEYS[kind], *COLUMNS[kind][len(KEYS[kind]) :]])

    def _metrics(self) -> list[Column]:
        places = self.lines.header.places
        return [column for column in METRICS if column in places and not places[column].micros]

    def _positions(self) -> list[int]:
        return list(self.lines.header.positions.values())

    def _cell(self, position: int) -> str:
        cell = f"s[{position + 1}]"
        line_end = self.lines.flat.line_end
        return f"replace({cell}, {sql(line_end)}, chr(10))" if line_end else cell

    def _text(self, column: Column) -> str:
        return f"u{self.lines.header.places[column].position}"

    def _check(self, column: Column) -> Check:
        return check(column, self._text(column), self.dialect, micros=self.lines.header.places[column].micros)

    def _value(self, column: Column) -> str:
        if column not in self.lines.header.places:
            return str(DEVICE_CODES[Device.UNKNOWN]) if column is Column.DEVICE else "NULL::VARCHAR"
        return self._check(column).value_sql

    def _name(self, column: Column) -> str:
        return OUR_NAMES[self.lines.header.kind].get(column, str(column))
