"""One file on its way through DuckDB: what it decides, its rows summed and sorted, the others set aside."""

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from services.ingest.api.reading.columns import ADD
from services.ingest.api.reading.counting import TOTAL_CHARACTERS, Tables
from services.ingest.api.reading.dates import Order
from services.ingest.api.reading.deciding import Decision, decide
from services.ingest.api.reading.dictionary import PERIOD_EDGES, fold
from services.ingest.api.reading.envelope import Text, Top, UnreadableFileError
from services.ingest.api.reading.fair import Fair
from services.ingest.api.reading.flat import Flat
from services.ingest.api.reading.judging import Judging
from services.ingest.api.reading.lines import Lines
from services.ingest.api.reading.numbers import Evidence
from services.ingest.api.reading.options import ReadingOptions
from services.ingest.api.reading.originals import complete, originals
from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.reporting import Facts, one_currency, report
from services.ingest.api.reading.sources import Column
from shared.messages import Totals
from shared.reports import TotalRow

NO_ROWS = "The file has a header row, but no rows."
NO_DATA = "Below the header row stand only totals or footers, and no rows."


@dataclass(frozen=True)
class Load:
    """What there is to read, where and how; `run` does it once."""

    cursor: duckdb.DuckDBPyConnection
    text: Text
    top: Top
    flat: Flat
    options: ReadingOptions
    work: Path

    def run(self) -> Parsed:
        """Read the file; raises `UnreadableFileError`, `QuestionError` or `ClashError`."""
        judging, decision = self._decided()
        tables = Tables(self.cursor, judging.lines.header.kind)
        if not tables.odd and not judging.lines.have_plain_ones:
            raise UnreadableFileError(NO_ROWS)
        found = tables.fill(judging, Fair(judging.lines, decision.dialect, decision.signed))
        self._compare_twins(judging)
        facts = Facts(
            dialect=judging.dialect,
            has_fractions=decision.numbers != Evidence(),
            currency=one_currency(decision.signs),
            rounded=found.rounded,
            nones=found.nones,
            mixed=min(decision.numbers.point, decision.numbers.comma),
        )
        return self._parsed(tables, facts)

    def _parsed(self, tables: Tables, facts: Facts) -> Parsed:
        """Write what the tables hold, and say what it comes to."""
        counts = tables.counts()
        if counts.kept + counts.rejected == 0:
            raise UnreadableFileError(NO_DATA if counts.totals else NO_ROWS)
        totals, bounds = tables.summary() if tables.is_stats and counts.accepted else (Totals(), None)
        tables.write_rows(self.work / "rows")
        tables.write_rejections(self.work / "rejections")
        if self.flat.numbered and counts.rejected:
            complete(self.work / "rejections", self.text.path, self.top.delimiter)
        facts = replace(
            facts,
            rows_total=counts.totals,
            total_rows=self._total_rows(tables),
            reconciliation=tables.reconcile(totals, counts.kept),
            clicked_over=tables.clicked_over(),
            dear_clicks=tables.dear_clicks(totals, facts.currency),
            last_date=bounds.last_date if bounds else None,
        )
        return Parsed(
            kind=self.top.header.kind,
            rows=self.work / "rows",
            rejections=self.work / "rejections",
            rows_read=counts.read,
            rows_accepted=counts.accepted,
            rows_merged=counts.kept - counts.accepted,
            rows_rejected=counts.rejected,
            totals=totals,
            bounds=bounds,
            report=report(self.top, self.text.encoding, facts),
        )

    def _decided(self) -> tuple[Judging, Decision]:
        """Set the odd lines aside and decide how the file is written; lines are plain in one dialect only."""
        lines = Lines(self.top.header, self.flat)
        is_clean = lines.have_plain_ones and not self.cursor.execute(lines.an_odd_one()).fetchall()
        self.cursor.execute("CREATE TEMP TABLE odd (n BIGINT, l VARCHAR)")
        if not is_clean:
            self.cursor.execute(f"INSERT INTO odd {lines.odd()}")
        decision = decide(self.cursor, lines, self.options)
        dialect = decision.dialect
        if lines.have_plain_ones and (dialect.comma or dialect.order is not Order.YMD):
            lines = replace(lines, may_be_plain=False)
            self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE odd AS {lines.odd()}")
        return Judging(lines, dialect, "rest"), decision

    def _compare_twins(self, judging: Judging) -> None:
        for column, place in self.top.header.twins:
            for line, mine, other in self.cursor.execute(judging.twin(column, place)).fetchall():
                names = f"{self.top.header.places[column].name!r} and {place.name!r}"
                is_period = fold(place.name) in PERIOD_EDGES
                advice = ADD[Column.DATE] if is_period else "Remove one of them."
                raise UnreadableFileError(
                    f"The columns {names} both mean {column}, and differ on line {line}: {mine or '(empty)'} and "
                    f"{other or '(empty)'}. {advice}",
                )

    def _total_rows(self, tables: Tables) -> list[TotalRow]:
        rows = tables.total_rows()
        if self.flat.numbered and rows:
            texts = originals(self.text.path, self.top.delimiter, [row.line for row in rows])
            return [
                TotalRow(line=row.line, text=text[:TOTAL_CHARACTERS]) for row, text in zip(rows, texts, strict=True)
            ]
        return rows
