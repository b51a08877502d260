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

    `lines` end in `\n`, whatever the file's own line ends (open it with `newline=None`). Quoting comes out as
    RFC 4180 has it; a record where text follows a closing quote comes as one field, its number negative. Raises
    `RecordError` for a quote that is opened and never closed, since everything after it would be one value.
    """
    well_formed = _well_formed_record(delimiter)
    held: list[str] = []
    first = size = 0
    for number, line in enumerate(lines, 1):
        if not held:
            if line == "\n":
                continue
            if '"' not in line or well_formed.fullmatch(line):
                yield number, line
                continue
            first = number
            size = 0
        inside = '"' not in line or _ends_inside_quotes(line, delimiter, inside=bool(held))
        held.append(line)
        size += len(line)
        if not inside:
            record = "".join(held)
            held.clear()
            yield (first, record) if well_formed.fullmatch(record) else _mended(first, record, delimiter)
        elif size > LINE_LIMIT:
            raise RecordError(f"Line {first}: a double quote opens a field of more than {LINE_LIMIT} characters.")
    if held:
        raise RecordError(f"Line {first}: a double quote opens a field that is never closed.")


def _well_formed_record(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    field = rf'(?:[^"{d}\n]*|"[^"]*(?:""[^"]*)*")'
    return re.compile(rf"{field}(?:{d}{field})*\n?")


def _ends_inside_quotes(line: str, delimiter: str, *, inside: bool) -> bool:
    """Tell whether the line ends inside a quoted field; a quote opens one only where a field begins."""
    field_start = 0
    for match in re.finditer(rf'"+|{re.escape(delimiter)}', line):
        if match[0] == delimiter:
            field_start = field_start if inside else match.end()
        elif inside:
            inside = len(match[0]) % 2 == 0
        elif not line[field_start : match.start()].strip(" "):
            inside = len(match[0]) % 2 == 1
    return inside


def _mended(number: int, record: str, delimiter: str) -> tuple[int, str]:
    """Return the record without spaces around its quoted fields, or the whole of it quoted where text follows one."""
    d = re.escape(delimiter)
    field = re.compile(rf'(?: *"([^"]*(?:""[^"]*)*)" *|(?! *")([^{d}\n]*))({d}|\n?\Z)')
    fields: list[str] = []
    position, end = 0, delimiter
    while end == delimiter:
        match = field.match(record, position)
        if match is None:
            whole = record.removesuffix("\n").replace('"', '""')
            return -number, f'"{whole}"\n'
        quoted, bare, end = match.groups()
        fields.append(bare if quoted is None else f'"{quoted}"')
        position = match.end()
    return number, delimiter.join(fields) + end
