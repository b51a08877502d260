"""One file on its way through DuckDB: what it decides, its rows summed and sorted, the others set aside."""

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from services.ingest.api import deciding
from services.ingest.api.columns import ADD
from services.ingest.api.counting import Tables
from services.ingest.api.dates import Order
from services.ingest.api.dictionary import Column
from services.ingest.api.envelope import Text, Top, UnreadableFileError
from services.ingest.api.flat import Flat
from services.ingest.api.lines import Lines
from services.ingest.api.numbers import Evidence
from services.ingest.api.originals import complete, originals
from services.ingest.api.parsed import Parsed
from services.ingest.api.reading import Reading
from services.ingest.api.reading_options import ReadingOptions
from services.ingest.api.reporting import Facts, one_currency, report
from shared.messages import Totals
from shared.reports import TotalRow


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
        reading, evidence = self._decided()
        self._compare_twins(reading)
        currency = one_currency(deciding.signs(self.cursor, reading))
        tables = Tables(self.cursor, reading.lines.header.kind)
        found = tables.fill(reading)
        facts = Facts(
            dialect=reading.dialect,
            has_fractions=bool(evidence.point or evidence.comma or evidence.either),
            currency=currency,
            rounded=found.rounded,
            nones=found.nones,
            mixed=min(evidence.point, evidence.comma),
        )
        return self._parsed(tables, facts)

    def _parsed(self, tables: Tables, facts: Facts) -> Parsed:
        """Write what the tables hold, and say what it comes to."""
        counts = tables.counts()
        if counts.read == 0:
            raise UnreadableFileError("The file has a header row, but no rows.")
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

    def _decided(self) -> tuple[Reading, Evidence]:
        """Set the odd lines aside and decide how the file is written; lines are plain in one dialect only."""
        lines = Lines(self.top.header, self.flat)
        self.cursor.execute(f"CREATE TEMP TABLE odd AS {lines.odd()}")
        dialect, evidence = deciding.dialect(self.cursor, lines, self.options)
        if lines.have_plain_ones and (dialect.comma or dialect.order is not Order.YMD):
            lines = replace(lines, may_be_plain=False)
            self.cursor.execute(f"CREATE OR REPLACE TEMP TABLE odd AS {lines.odd()}")
        return Reading(lines, dialect), evidence

    def _compare_twins(self, reading: Reading) -> None:
        for column, place in self.top.header.twins:
            for line, mine, other in self.cursor.execute(reading.twin(column, place)).fetchall():
                names = f"{self.top.header.places[column].name!r} and {place.name!r}"
                advice = f" {ADD[column]}" if column is Column.DATE else ""
                raise UnreadableFileError(
                    f"The columns {names} both mean {column}, and differ on line {line}: {mine or '(empty)'} and "
                    f"{other or '(empty)'}. Remove one of them.{advice}",
                )

    def _total_rows(self, tables: Tables) -> list[TotalRow]:
        rows = tables.total_rows()
        if self.flat.numbered and rows:
            texts = originals(self.text.path, self.top.delimiter, [row.line for row in rows])
            return [TotalRow(line=row.line, text=text) for row, text in zip(rows, texts, strict=True)]
        return rows
