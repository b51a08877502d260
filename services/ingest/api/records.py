"""Where the records of a CSV file begin and end, so that each can carry its line number.

Pure: no framework. A record is a line, or several where a quoted field holds line ends (RFC 4180).
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import TextIO

LINE_LIMIT = 1_000_000
"""How many characters a record may have; a longer one is a file that is no CSV, or an unclosed quote."""


class RecordError(ValueError):
    """The file cannot be cut into records; the message names the line."""


def bounded_lines(text: TextIO) -> Iterator[str]:
    """Yield the lines of a file without ever holding more than `LINE_LIMIT` of one; raises `RecordError`."""
    for number in itertools.count(1):
        line = text.readline(LINE_LIMIT + 1)
        if len(line) > LINE_LIMIT:
            raise RecordError(f"Line {number} is longer than {LINE_LIMIT} characters.")
        if not line:
            return
        yield line


def records(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, str]]:
    r"""Yield each record with the number of its first line, counted from 1; empty lines are passed over.

    `lines` end in `\n`, whatever the file's own line ends (open it with `newline=None`). Raises `RecordError`
    for a quote that is opened and never closed, since everything after it would be one value.
    """
    well_formed = _well_formed_line(delimiter)
    held: list[str] = []
    first = 0
    for number, line in enumerate(lines, 1):
        if not held:
            if line == "\n":
                continue
            if '"' not in line or well_formed.fullmatch(line):
                yield number, line
                continue
            first = number
        held.append(line)
        record = "".join(held)
        if not _inside_quotes(record, delimiter):
            held.clear()
            yield first, record
        elif len(record) > LINE_LIMIT:
            break
    if held:
        raise RecordError(f"Line {first}: a double quote opens a field that is never closed.")


def _well_formed_line(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    field = rf'(?:[^"{d}\n]*|"[^"\n]*(?:""[^"\n]*)*")'
    return re.compile(rf"{field}(?:{d}{field})*\n?")


def _inside_quotes(record: str, delimiter: str) -> bool:
    """Tell whether the record ends inside a quoted field; a quote opens one only where a field begins."""
    inside = False
    field_start = 0
    for match in re.finditer(rf'"+|{re.escape(delimiter)}', record):
        if match[0] == delimiter:
            field_start = field_start if inside else match.end()
        elif inside:
            inside = len(match[0]) % 2 == 0
        elif not record[field_start : match.start()].strip():
            inside = len(match[0]) % 2 == 1
    return inside
