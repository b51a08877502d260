"""Public suites of odd CSV files, which stand beside the project where they are at hand; none is part of it."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.support.strict_reader import Record, UnclosedQuoteError, split

SUITES = Path(__file__).parents[3] / "shared" / "csv-torture"
ABSENT = f"no suites of odd CSV files at {SUITES.parent.name}/{SUITES.name} beside the project (CI has them there)"
MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"\xef\xbb\xbf": "utf-8"}
WITHOUT_A_MARK = {
    "data/csv/encodings/shift_jis.csv": "shift_jis",
    "data/csv/encodings/utf16.csv": "utf-16-le",
    "data/csv/encodings/only_utf16.csv": "utf-16-le",
}
"""Files whose encoding nothing in them tells."""

DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Case:
    """A file of a suite, and what the suite says of it."""

    suite: str
    path: str
    file: Path
    expected: str

    def __str__(self) -> str:
        return f"{self.suite}:{self.path}"

    @cached_property
    def content(self) -> bytes:
        """Its bytes."""
        return self.file.read_bytes()

    @property
    def mark(self) -> bytes:
        """Its byte-order mark."""
        return next((mark for mark in MARKS if self.content.startswith(mark)), b"")

    @property
    def encoding(self) -> str:
        """The encoding it can be read in; Latin-1, which reads anything, where it is no UTF-8."""
        if self.mark:
            return MARKS[self.mark]
        if self.path in WITHOUT_A_MARK:
            return WITHOUT_A_MARK[self.path]
        try:
            self.content.decode()
        except UnicodeDecodeError:
            return "latin-1"
        return "utf-8"

    @property
    def text(self) -> str:
        """Its text, without the byte-order mark."""
        return self.content[len(self.mark) :].decode(self.encoding, "replace")

    @property
    def delimiter(self) -> str:
        """What separates its fields, as far as a look at it tells."""
        if self.suite == "pollock":
            return self._dialect()[0]
        counts = Counter(sign for sign in self.text[:2000] if sign in DELIMITERS)
        return max(DELIMITERS, key=lambda sign: counts[sign])

    @cached_property
    def records(self) -> list[Record] | None:
        """What a strict reader finds in it; None where a quote is never closed."""
        try:
            return list(split(self.text, self.delimiter))
        except UnclosedQuoteError:
            return None

    @property
    def width(self) -> int:
        """How many cells most of its records have."""
        widths = Counter(len(record.cells) for record in self.records or [] if record.sound)
        return max(widths, key=lambda width: widths[width], default=1)

    def cells(self) -> list[list[str]]:
        """Return what the suite expects in it, its header first if it has one."""
        output = self.file.parents[0 if self.suite in {"pollock", "w3c-csvw"} else 1] / self.expected
        if output.suffix == ".csv":
            with output.open(newline="", encoding="utf-8") as file:
                return list(csv.reader(file))
        rows = json.loads(output.read_text(encoding="utf-8"))
        if rows and isinstance(rows[0], dict):
            return [list(rows[0]), *(list(row.values()) for row in rows)]
        return [list(row) for row in rows]

    def texts(self) -> dict[int, list[str]]:
        """Return the texts that a W3C test expects in each line."""
        tables = json.loads((self.file.parent / self.expected).read_text(encoding="utf-8"))["tables"]
        rows = [row for table in tables if table["url"].endswith(f"/{Path(self.path).name}") for row in table["row"]]
        return {
            int(row["url"].rpartition("=")[2]): [
                value.strip() for each in row["describes"] for value in each.values() if isinstance(value, str)
            ]
            for row in rows
        }

    def _dialect(self) -> str:
        dialect = self.file.with_name(f"polluted_files__parameters__{Path(self.path).name}_parameters.json")
        return str(json.loads(dialect.read_text(encoding="utf-8"))["delimiter"] or ",")


def cases() -> list[Case]:
    """Return the input files of all suites; none where they are not at hand."""
    manifest = SUITES / "MANIFEST.tsv"
    if not manifest.exists():
        return []
    with manifest.open(encoding="utf-8") as file:
        entries = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = [
        Case(entry["suite"], entry["path"], SUITES / entry["file"], entry["expected"])
        for entry in entries
        if entry["role"] == "input"
    ]
    # Many files of the W3C are the same, read in the light of another file each.
    once = {case.content: case for case in reversed(found)}
    return [case for case in found if case.expected or once[case.content] is case]
