"""Files handed to the reader as bytes, and what it makes of them, decoded."""

import codecs
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.ingest.api.reading.parsing import Parsed, Parser, ReadingOptions, UnreadableFileError
from shared.messages import Kind
from shared.reports import Report

ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}

Key = tuple[int, str, int]
"""ad group, day, device code"""

Sums = dict[Key, tuple[int, int, int, int]]
"""Of each key the impressions, clicks, conversions in micros and cost in micros."""


@dataclass(frozen=True)
class Refused:
    """A row that was refused."""

    line: int
    column: str | None
    value: str | None
    reason: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What the reader made of a file."""

    parsed: Parsed
    rows: list[list[str | None]]
    refused: list[Refused]

    @property
    def report(self) -> Report:
        """What it says about how it read the file."""
        assert self.parsed.report is not None
        return self.parsed.report

    @property
    def sums(self) -> Sums:
        """The accepted rows of a file of stats; they must come sorted, and each key once."""
        cells = [[cell or "" for cell in row] for row in self.rows]
        keys = [(int(row[0]), row[1], int(row[2])) for row in cells]
        assert keys == sorted(set(keys))
        return {key: (int(row[3]), int(row[4]), int(row[5]), int(row[6])) for key, row in zip(keys, cells, strict=True)}


@dataclass(frozen=True)
class Reader:
    """A parser in a folder of its own."""

    parser: Parser
    folder: Path

    def read(
        self,
        content: bytes,
        kind: str | None = None,
        encoding: str | None = None,
        locale: str | None = None,
        date_order: str | None = None,
    ) -> Outcome:
        """Return what the parser makes of a file; nothing is left on disk but what it reports."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            source = folder / "source"
            source.write_bytes(content)
            options = ReadingOptions(Kind(kind) if kind else None, encoding, locale, date_order)
            parsed = self.parser.parse(source, folder, options)
            outcome = Outcome(parsed, decoded(parsed.rows), [refused(row) for row in decoded(parsed.rejections)])
        balanced(outcome)
        return outcome

    def ask(self, content: bytes, **answers: str | None) -> Outcome | str:
        """Return what the parser makes of a file, or the reason why it is refused as a whole."""
        try:
            return self.read(content, **answers)
        except UnreadableFileError as refused:
            return str(refused)


@contextmanager
def reader() -> Iterator[Reader]:
    """Yield a reader whose files are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="adledger-reader-"))
    parser = Parser(folder)
    try:
        yield Reader(parser, folder)
    finally:
        parser.close()
        shutil.rmtree(folder)


def balanced(outcome: Outcome) -> None:
    """Every row that was read is accepted, merged, refused or a total, and each is counted once."""
    parsed = outcome.parsed
    assert parsed.rows_accepted == len(outcome.rows)
    assert parsed.rows_rejected == len(outcome.refused)
    assert [each.line for each in outcome.refused] == sorted({each.line for each in outcome.refused})
    counted = parsed.rows_accepted + parsed.rows_merged + parsed.rows_rejected + outcome.report.rows_total
    assert parsed.rows_read == counted
    if parsed.kind == "ad_group_stats":
        columns = zip(*outcome.sums.values(), strict=True)
        totals = parsed.totals
        sums = [totals.impressions, totals.clicks, totals.conversions, totals.cost]
        assert sums == ([sum(column) for column in columns] or [0] * 4)


def decoded(path: Path) -> list[list[str | None]]:
    """What PostgreSQL's COPY reads from a file in its text format."""
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    return [[None if cell == r"\N" else unescaped(cell) for cell in line.split("\t")] for line in lines]


def unescaped(cell: str) -> str:
    """Return a cell of COPY's text format as what it stands for."""
    assert "\r" not in cell
    assert "\0" not in cell
    return re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], cell)


def refused(row: list[str | None]) -> Refused:
    """Return a rejection as it comes from COPY's text format."""
    line, column, value, reason, text = row
    assert line
    assert reason
    return Refused(int(line), column, value, reason, text or "")


def encoding(name: str) -> str:
    """Return the one name of an encoding, whatever the reader calls it; the byte-order mark is no part of it."""
    return codecs.lookup(re.sub(r"(?i)[-_ ]?(with )?(sig|bom)$", "", name)).name
