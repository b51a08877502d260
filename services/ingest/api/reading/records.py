"""Where the records of a CSV file begin and end, and what their fields are.

Pure: no framework. A record is a line, or several where a quoted field holds line ends (RFC 4180).
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TextIO

LINE_LIMIT = 250_000
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

    `lines` end in `\n`, whatever the file's own line ends (open it with `newline=None`). Raises `RecordError` for a
    quote that is opened and never closed, since everything after it would be one value.
    """
    held: list[str] = []
    first = size = 0
    for number, line in enumerate(lines, 1):
        if not held:
            if line == "\n":
                continue
            if '"' not in line or _is_one_record(line, delimiter):
                yield number, line
                continue
            first, size = number, 0
        inside = '"' not in line or _ends_inside_quotes(line, delimiter, inside=bool(held))
        held.append(line)
        size += len(line)
        if not inside:
            yield first, "".join(held)
            held.clear()
        elif size > LINE_LIMIT:
            raise RecordError(f"Line {first}: a double quote opens a field of more than {LINE_LIMIT} characters.")
    if held:
        raise RecordError(f"Line {first}: a double quote opens a field that is never closed.")


def _is_one_record(line: str, delimiter: str) -> bool:
    simply = unquoted(line.removesuffix("\n"), delimiter, delimiter) is not None
    return simply or not _ends_inside_quotes(line, delimiter, inside=False)


def unquoted(body: str, delimiter: str, separator: str) -> str | None:
    """Return the record's fields with another separator, None unless its quotes stand right around whole fields."""
    parts = body.split('"')
    first, between, last = parts[0], parts[2:-1:2], parts[-1]
    if len(parts) % 2 == 0 or (first and first[-1] != delimiter) or (last and last[0] != delimiter):
        return None
    if not all(each and each[0] == each[-1] == delimiter for each in between):
        return None
    parts[::2] = [each.replace(delimiter, separator) for each in parts[::2]]
    return "".join(parts)


def fields(record: str, delimiter: str) -> list[str] | None:
    """Return the record's fields, or None where text follows a closing quote, so that nobody knows what is meant."""
    body = record.removesuffix("\n")
    if '"' not in body:
        return body.split(delimiter)
    if body[0] == body[-1] == '"':
        whole = body[1:-1].split(f'"{delimiter}"')
        if body.count('"') == 2 * len(whole):
            return whole
    return _quoted_fields(body, delimiter)


def _quoted_fields(body: str, delimiter: str) -> list[str] | None:
    field = _field(delimiter)
    found: list[str] = []
    position, end = 0, delimiter
    while end:
        match = field.match(body, position)
        if match is None:
            return None
        quoted, bare, end = match.groups()
        found.append(bare if quoted is None else quoted.replace('""', '"'))
        position = match.end()
    return found


@lru_cache
def _field(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    return re.compile(rf'(?: *"([^"]*(?:""[^"]*)*)" *|(?! *")([^{d}\n]*))({d}|\Z)')


def _ends_inside_quotes(line: str, delimiter: str, *, inside: bool) -> bool:
    """Tell whether the line ends inside a quoted field; a quote opens one only where a field begins."""
    if not inside and line[0] == '"' and line.endswith('"\n') and _is_quoted_throughout(line, delimiter):
        return False
    field_start = 0
    for match in _marks(delimiter).finditer(line):
        if match[0] == delimiter:
            field_start = field_start if inside else match.end()
        elif inside:
            inside = len(match[0]) % 2 == 0
        elif not line[field_start : match.start()].strip(" "):
            inside = len(match[0]) % 2 == 1
    return inside


def _is_quoted_throughout(line: str, delimiter: str) -> bool:
    return line.count('"') == 2 + 2 * line[1:-2].count(f'"{delimiter}"')


@lru_cache
def _marks(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'"+|{re.escape(delimiter)}')
