"""A reader of CSV in plain Python, slow and strict, that is told what ours has to find out.

Written from the documentation alone. It knows nothing of DuckDB and shares no code with the reader it judges.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SPACE = " "


class UnclosedQuoteError(ValueError):
    """A quoted field that never ends; the argument is the line of its record."""


@dataclass
class Record:
    """A record: the line it begins on, its cells, and its text; `sound` unless text follows a closing quote."""

    line: int
    cells: list[str] = field(default_factory=list)
    text: str = ""
    sound: bool = True


def split(text: str, delimiter: str) -> Iterator[Record]:
    """Yield the records of a text by RFC 4180; line ends are those of Unix, empty lines are passed over."""
    text = re.sub("\r\n|\r", "\n", text)
    position, line = 0, 1
    while position < len(text):
        if text[position] == "\n":
            position, line = position + 1, line + 1
            continue
        record, start = Record(line), position
        ended = False
        while not ended:
            position, ended = _field(text, position, delimiter, record)
        record.text = text[start:position].removesuffix("\n")
        line += text.count("\n", start, position)
        yield record


def _field(text: str, position: int, delimiter: str, record: Record) -> tuple[int, bool]:
    """Read a field into the record; return where the next begins, and whether the record has ended."""
    start = position
    while text.startswith(SPACE, position):
        position += 1
    cell = ""
    quoted = text.startswith('"', position)
    if quoted:
        cell, position = _quoted(text, position + 1, record)
    ended = re.compile(f"[{re.escape(delimiter)}\n]").search(text, position)
    end = ended.start() if ended else len(text)
    rest = text[position:end]
    if quoted and rest.strip(SPACE):
        record.sound = False
    record.cells.append(cell if quoted else text[start:end])
    return end + 1, end >= len(text) or text[end] == "\n"


def _quoted(text: str, position: int, record: Record) -> tuple[str, int]:
    """Return what stands between quotes, and the position behind the closing one."""
    parts = []
    while True:
        end = text.find('"', position)
        if end < 0:
            raise UnclosedQuoteError(record.line)
        parts.append(text[position:end])
        if not text.startswith('"', end + 1):
            return "".join(parts), end + 1
        parts.append('"')
        position = end + 2
