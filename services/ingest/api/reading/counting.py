"""The tables that a file is read into: its entries, and the records set aside; what they come to, and where it goes."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import duckdb

from services.ingest.api.reading.checks import MICROS
from services.ingest.api.reading.columns import METRICS
from services.ingest.api.reading.deciding import one
from services.ingest.api.reading.envelope import UnreadableFileError
from services.ingest.api.reading.fair import Fair
from services.ingest.api.reading.joined import is_another
from services.ingest.api.reading.judging import KEYS, Judging, escaped
from services.ingest.api.reading.numbers import sql
from services.ingest.api.reading.totals import Stated, reconcile
from shared.messages import COLUMNS, Bounds, Kind, Totals
from shared.reports import Reconciliation, TotalRow

BIGINT_LIMIT = 2**63 - 1
JUDGED_AT_ONCE = 100_000
"""How many odd records are kept with all that was found of them."""
ASIDE = (
    'line BIGINT, l VARCHAR, reason VARCHAR, "column" VARCHAR, value VARCHAR, sums_up BOOLEAN, footer BOOLEAN, '
    "label VARCHAR, has_device BOOLEAN, " + ", ".join(f"stated_{name} BIGINT" for name in METRICS)
)
"""The columns of the table `aside`, in the order of `Judging.aside`."""
DEAR_CLICK = 50_000
"""What no click costs in units of most currencies, and many do in micros."""
SMALL_CURRENCIES = frozenset({"GNF", "IDR", "IRR", "KHR", "LAK", "LBP", "MMK", "PYG", "UZS", "VND"})
"""Those of which a click may well cost as much."""
TOTAL_ROWS = 20
"""How many rows of totals are kept."""
TOTAL_CHARACTERS = 2000
"""How much of each of them is kept."""
NAMES_SHOWN = 500
"""How many characters of another header row are shown."""
_TEXT_OUTPUT = "(FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '', ESCAPE '', NULLSTR '\\N')"


@dataclass(frozen=True)
class Counts:
    """How many entries there are, how many rows were summed into them, and how many were not."""

    accepted: int
    kept: int
    rejected: int
    totals: int

    @property
    def read(self) -> int:
        """All records."""
        return self.kept + self.rejected + self.totals


@dataclass(frozen=True)
class Peculiarities:
    """How many odd records are no rows, how many amounts were rounded, and how many counts left out for 0."""

    refused: int = 0
    rounded: int = 0
    nones: int = 0


@dataclass(frozen=True)
class Tables:
    """The tables `entries` and `aside` of one file."""

    cursor: duckdb.DuckDBPyConnection
    kind: Kind

    @property
    def is_stats(self) -> bool:
        """Whether the file holds stats."""
        return self.kind is Kind.AD_GROUP_STATS

    def judge(self, judging: Judging) -> None:
        """Make `judged` of the table `rest`: a table where that is small, else a view, which takes no room."""
        form = "TABLE" if self.rest <= JUDGED_AT_ONCE else "VIEW"
        self.cursor.execute(f"CREATE TEMP {form} judged AS {judging.judged()}")

    @cached_property
    def odd(self) -> int:
        """How many odd records there are."""
        return int(one(self.cursor, "SELECT count(*) FROM odd")[0])

    @cached_property
    def rest(self) -> int:
        """How many of them are not fair."""
        return int(one(self.cursor, "SELECT count(*) FROM rest")[0]) if self.odd else 0

    @cached_property
    def has_others(self) -> bool:
        """Whether there are records that are no rows; of most files nothing more need be asked."""
        return bool(one(self.cursor, "SELECT count(*) FROM aside")[0])

    def fill(self, judging: Judging, fair: Fair) -> Peculiarities:
        """Read the file into them."""
        found = Peculiarities()
        if self.odd:
            self.cursor.execute(f"CREATE TEMP TABLE rest AS FROM odd WHERE NOT {fair.condition()}")
        if self.rest:
            self.judge(judging)
            found = Peculiarities(*map(int, one(self.cursor, judging.peculiarities())))
        self.cursor.execute(f"CREATE TEMP TABLE entries AS {judging.entries(self._rows(judging, fair))}")
        self.cursor.execute("DROP TABLE IF EXISTS mixed")
        self.cursor.execute(f"CREATE TEMP TABLE aside ({ASIDE})")
        if found.refused:
            self.cursor.execute(f"CREATE TEMP TABLE refused AS {judging.refused()}")
            self._refuse_joined(judging)
            self.cursor.execute(f"INSERT INTO aside {judging.aside()}")
            self._find_footers(judging, fair)
        return found

    def _rows(self, judging: Judging, fair: Fair) -> str:
        """Return the query of all rows, of one table only: DuckDB sums a union up in memory, however large."""
        parts = [fair.rows()] if self.odd > self.rest else []
        parts += [judging.plain_rows(wholly=not self.odd)] if judging.lines.have_plain_ones else []
        parts += [judging.rows()] if self.rest else []
        if len(parts) == 1:
            return parts[0]
        self.cursor.execute(f"CREATE TEMP TABLE mixed AS {' UNION ALL BY NAME '.join(parts)}")
        return "FROM mixed"

    def _refuse_joined(self, judging: Judging) -> None:
        """Raise `UnreadableFileError` for a file whose later rows stand below another header row."""
        other = is_another(judging.lines.header, "l", "s")
        query = f"SELECT abs(n), s FROM refused WHERE {other} ORDER BY abs(n) LIMIT 1"
        for line, cells in self.cursor.execute(query).fetchall():
            names = ", ".join(cell.strip("\ufeff \t") for cell in cells)[:NAMES_SHOWN]
            raise UnreadableFileError(
                f"Line {line} is another header row, with other columns or in another order: {names}. "
                "Files seem to have been joined; send each by itself."
            )

    def _find_footers(self, judging: Judging, fair: Fair) -> None:
        """Take what is no row and comes after the last row for a footer."""
        if one(self.cursor, "SELECT count(*) FILTER (footer AND NOT sums_up) FROM aside")[0]:
            last = f"(SELECT max(n) FROM ({judging.rows()})), ({fair.last()}), ({judging.lines.last_plain()})"
            self.cursor.execute(
                f"UPDATE aside SET sums_up = true WHERE footer AND line > coalesce(greatest({last}), 0)"
            )

    def counts(self) -> Counts:
        """Count the records."""
        accepted, kept = one(self.cursor, "SELECT count(*), coalesce(sum(rows), 0) FROM entries")
        if not self.has_others:
            return Counts(int(accepted), int(kept), 0, 0)
        rejected, totals = one(
            self.cursor, "SELECT count(*) FILTER (NOT sums_up), count(*) FILTER (sums_up) FROM aside"
        )
        return Counts(int(accepted), int(kept), int(rejected), int(totals))

    def summary(self) -> tuple[Totals, Bounds]:
        """Return the sums over the entries, and their bounds; raises `UnreadableFileError` if one cannot be stored."""
        sums = ", ".join(f"sum({name}), count(*) - count({name})" for name in METRICS)
        extent = "min(date), max(date), min(ad_group_id), max(ad_group_id)"
        row = one(self.cursor, f"SELECT {sums}, {extent} FROM entries")
        for name, too_large in zip(METRICS, row[1:8:2], strict=True):
            if too_large:
                raise UnreadableFileError(
                    f"The rows of one key add up to more {name} than can be stored, which is {BIGINT_LIMIT}."
                )
        totals = Totals(**{name: Decimal(total) for name, total in zip(METRICS, row[0:8:2], strict=True)})
        return totals, Bounds(first_date=row[8], last_date=row[9], first_ad_group=row[10], last_ad_group=row[11])

    def write_rows(self, target: Path) -> None:
        """Write the entries in the order of their keys."""
        columns = ", ".join(escaped(name) if name in {"name", "type"} else name for name in COLUMNS[self.kind])
        self._copy(f"SELECT {columns} FROM entries ORDER BY {', '.join(KEYS[self.kind])}", target)

    def write_rejections(self, target: Path) -> None:
        """Write the refused records in the order of their lines."""
        if not self.has_others:
            target.touch()
            return
        columns = ", ".join(escaped(name) for name in ('"column"', "value", "reason", "l"))
        self._copy(f"SELECT line, {columns} FROM aside WHERE NOT sums_up ORDER BY line", target)

    def total_rows(self) -> list[TotalRow]:
        """Return the first records that are totals or footers, as they stand in the flat file."""
        if not self.has_others:
            return []
        query = f"SELECT line, left(l, {TOTAL_CHARACTERS}) FROM aside WHERE sums_up ORDER BY line LIMIT {TOTAL_ROWS}"
        return [TotalRow(line=line, text=text) for line, text in self.cursor.execute(query).fetchall()]

    def reconcile(self, totals: Totals, rows: int) -> list[Reconciliation]:
        """Compare the rows with the file's own totals; those of one label, split by device, are one total."""
        if not self.has_others:
            return []
        stated = ", ".join(f"sum(stated_{name})" for name in METRICS)
        query = f"""SELECT min(line), {stated} FROM aside WHERE sums_up AND NOT footer
            GROUP BY label, has_device ORDER BY min(line) LIMIT 1000"""
        found = [Stated(line, tuple(values)) for line, *values in self.cursor.execute(query).fetchall()]
        return reconcile(METRICS, [getattr(totals, name) for name in METRICS], rows, found)

    def clicked_over(self) -> int:
        """Count the keys with more clicks than impressions."""
        over = "SELECT count(*) FROM entries WHERE clicks > impressions"
        return int(one(self.cursor, over)[0]) if self.is_stats else 0

    def dear_clicks(self, totals: Totals, currency: str | None) -> bool:
        """Tell whether costs are like micros in a column of units: all of them whole, and a click for a fortune."""
        click = Decimal(totals.cost) / (int(totals.clicks) or 1) / MICROS
        is_dear = click >= DEAR_CLICK and currency not in SMALL_CURRENCIES
        if not self.is_stats or not is_dear:
            return False
        return not self.cursor.execute(f"FROM entries WHERE cost % {MICROS} <> 0 LIMIT 1").fetchall()

    def _copy(self, query: str, target: Path) -> None:
        self.cursor.execute(f"COPY ({query}) TO {sql(str(target))} {_TEXT_OUTPUT}")
