"""What surrounds the rows of a file: its encoding, its delimiter, the lines above its header, and the header."""

import codecs
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.ingest.api.reading.columns import Header, HeaderError, known, recognise
from services.ingest.api.reading.records import RecordError, bounded_lines, fields, records
from shared.messages import Kind

DELIMITERS = (",", "\t", ";", "|")
SNIFFED_BYTES = 8192
HEADER_RECORDS = 100
"""Among how many records, from the top, the header row is looked for."""
HEADER_COLUMNS = 2
"""How many columns we know make a record the header row."""
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_COPIED_CHARACTERS = 1 << 16


class UnreadableFileError(ValueError):
    """A file that cannot be understood as a whole; the message says why, and what would be understood."""


class NotTextError(UnreadableFileError):
    """A file that is no text at all."""


@dataclass(frozen=True)
class Text:
    """A file in UTF-8, and the encoding it came in."""

    path: Path
    encoding: str


@dataclass(frozen=True)
class Top:
    """What stands at the top of a file; `lines` is how many lines there are down to the end of the header."""

    delimiter: str
    header: Header
    line: int
    lines: int
    text: str
    preamble: tuple[str, ...]


def as_utf8(source: Path, work: Path, encoding: str | None) -> Text:
    """Return the file as UTF-8, copied only if it is something else; raises `UnreadableFileError`."""
    with source.open("rb") as file:
        start = file.read(SNIFFED_BYTES)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    name = codecs.lookup(encoding or marked or "utf-8").name
    if name in {"utf-8", "utf-8-sig"}:
        if b"\0" in start:
            raise NotTextError(
                "The file is binary. Send CSV text; spreadsheets can export it. For UTF-16 without a byte-order "
                "mark, say ?encoding=utf-16-le.",
            )
        return Text(source, "utf-8")
    target = work / "utf-8"
    try:
        _transcode(source, target, name)
    except UnicodeError as error:
        raise UnreadableFileError(f"The file is not written in {name}: {error}.") from error
    return Text(target, name)


def _transcode(source: Path, target: Path, encoding: str) -> None:
    with source.open(encoding=encoding, newline="") as text, target.open("w", encoding="utf-8", newline="") as copy:
        copy.write(text.read(_COPIED_CHARACTERS).removeprefix("\ufeff"))
        while piece := text.read(_COPIED_CHARACTERS):
            copy.write(piece)


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    r"""Open a file of UTF-8 for reading by lines, whatever ends them, without its byte-order mark."""
    with path.open(encoding="utf-8-sig", newline=None) as text:
        yield text


def read_records(text: TextIO, delimiter: str) -> Iterator[tuple[int, str]]:
    """Yield the records of an open file with their lines; raises `UnreadableFileError`."""
    try:
        yield from records(bounded_lines(text), delimiter)
    except RecordError as error:
        raise UnreadableFileError(str(error)) from error


def read_top(path: Path, kind: Kind | None) -> Top:
    """Find the header row, and understand it; raises `UnreadableFileError`."""
    found = _find_header(path, kind)
    try:
        header = recognise(found.names, kind)
    except HeaderError as error:
        raise UnreadableFileError(str(error)) from error
    text = found.record.removesuffix("\n")
    records_above = (record for line, record in _first_records(path, found.delimiter) if line < found.line)
    above = (line for record in records_above for line in record.removesuffix("\n").split("\n"))
    return Top(found.delimiter, header, found.line, found.line + text.count("\n"), text, tuple(above))


@dataclass(frozen=True)
class _Candidate:
    """A record that may be the header row, as one delimiter has it."""

    delimiter: str
    line: int
    record: str
    names: list[str]

    is_understood: bool

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """How well it does for a header: understood, or with many columns we know; higher up; many fields."""
        score = known(self.names)
        is_header = score >= HEADER_COLUMNS
        return self.is_understood, score if is_header else 0, -self.line, len(self.names)


def _find_header(path: Path, kind: Kind | None) -> _Candidate:
    """Return the first record that is understood, or else the one with most columns we know, or else the first."""
    candidates: list[_Candidate] = []
    broken: UnreadableFileError | None = None
    for delimiter in DELIMITERS:
        try:
            candidates += _candidates(path, delimiter, kind)
        except UnreadableFileError as error:
            broken = broken or error
    if not candidates:
        raise broken or UnreadableFileError("The file is empty.")
    return max(candidates, key=lambda candidate: candidate.rank)


def _is_understood(names: list[str], kind: Kind | None) -> bool:
    try:
        recognise(names, kind)
    except HeaderError:
        return False
    return True


def _candidates(path: Path, delimiter: str, kind: Kind | None) -> Iterator[_Candidate]:
    """Yield the first record, and those with columns we know, down to the first that is understood."""
    for index, (line, record) in enumerate(_first_records(path, delimiter)):
        names = fields(record, delimiter) or []
        is_header = len(names) >= HEADER_COLUMNS and known(names) >= HEADER_COLUMNS
        if is_header or index == 0:
            understood = is_header and _is_understood(names, kind)
            yield _Candidate(delimiter, line, record, names, understood)
            if understood:
                return


def _first_records(path: Path, delimiter: str) -> Iterator[tuple[int, str]]:
    with opened(path) as text:
        yield from itertools.islice(read_records(text, delimiter), HEADER_RECORDS)
