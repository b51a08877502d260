"""Files as DuckDB reads them: one record a line, its fields cut at every delimiter.

A file without quotes is that already, and is read as it is; of any other a flat copy is made.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from services.ingest.api.reading.envelope import Top, UnreadableFileError, opened, read_records
from services.ingest.api.reading.records import fields, unquoted

CHUNK = 1 << 16
_NEEDED = 3
"""How many characters a flat copy needs for itself."""
_CONTROLS = bytes([0x1F, 0x1E, 0x1D, 0x1C, *range(0x01, 0x09), *range(0x0E, 0x1B)])


@dataclass(frozen=True)
class Flat:
    """A file of one record a line: its lines follow after `skip` others, and hold no `absent` character.

    In a copy (`numbered`) each line begins with the record's line number, negative where its fields cannot be told
    apart, and a line end inside a field is `line_end`.
    """

    path: Path
    separator: str
    absent: str
    skip: int
    numbered: bool = False
    line_end: str = ""


@dataclass(frozen=True)
class Scan:
    """What the bytes of a file are: whether one record is one line throughout, and control characters it lacks."""

    is_flat: bool
    spare: str


def scan(path: Path) -> Scan:
    """Look at every byte once; raises `UnreadableFileError` where they are no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    spare = _CONTROLS
    ends = _LineEnds()
    is_flat = True
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _no_utf8(path) from error
            spare = bytes(each for each in spare if each not in chunk)
            is_flat = ends.add(chunk) and b'"' not in chunk and is_flat
    if decoder.getstate()[0]:
        raise _no_utf8(path)
    return Scan(is_flat and ends.are_alike and bool(spare), spare.decode())


class _LineEnds:
    """Counts the line ends of a file by kind."""

    def __init__(self) -> None:
        self._returns = self._feeds = self._pairs = 0
        self._last = b""

    def add(self, chunk: bytes) -> bool:
        """Count those of one more piece; false when it is so long a piece of one line that it must be measured."""
        feeds, returns = chunk.count(b"\n"), chunk.count(b"\r")
        self._feeds += feeds
        if returns or self._last == b"\r":
            self._returns += returns
            self._pairs += (self._last + chunk).count(b"\r\n")
        self._last = chunk[-1:]
        return bool(feeds or returns or len(chunk) < CHUNK)

    @property
    def are_alike(self) -> bool:
        """Whether all are of one kind."""
        return self._returns == 0 or self._feeds == 0 or self._returns == self._pairs == self._feeds


def _no_utf8(path: Path) -> UnreadableFileError:
    with path.open("rb") as file:
        line = next((number for number, content in enumerate(file, 1) if not _is_utf8(content)), 1)
    return UnreadableFileError(
        f"Line {line} is not valid UTF-8, and the file does not say what else it is. Send it as UTF-8, or say how it "
        "is written: ?encoding=windows-1252 (spreadsheets in Western Europe and America), shift_jis, iso-8859-2, …",
    )


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def flatten(path: Path, target: Path, top: Top, spare: str, go_on: Callable[[], None]) -> Flat:
    """Write a flat copy of the file's records, without those down to the header; `go_on` raises to end that."""
    if len(spare) < _NEEDED:
        raise UnreadableFileError("The file holds every control character there is: it is no CSV text.")
    separator, line_end, absent, *_ = list(spare)
    with opened(path) as text, target.open("w", encoding="utf-8", newline="\n") as copy:
        for line in _flat_lines(read_records(text, top.delimiter), top, separator, line_end):
            go_on()
            copy.write(line)
    return Flat(target, separator, absent, 0, numbered=True, line_end=line_end)


def _flat_lines(found: Iterable[tuple[int, str]], top: Top, separator: str, line_end: str) -> Iterator[str]:
    delimiter = top.delimiter
    for line, record in found:
        if line <= top.line:
            continue
        if '"' not in record:
            yield f"{line}{separator}{record.removesuffix(chr(10)).replace(delimiter, separator)}\n"
            continue
        simply = unquoted(record.removesuffix("\n"), delimiter, separator)
        if simply is not None:
            yield f"{line}{separator}{simply.replace(chr(10), line_end)}\n"
            continue
        cells = fields(record, delimiter)
        content = record.removesuffix("\n") if cells is None else separator.join(cells)
        number = line if cells else -line
        yield f"{number}{separator}{content.replace(chr(10), line_end)}\n"
