"""An answer made again after the data changed: of a list, only those parts whose rows are others than before.

Pure: no framework.
"""

from collections.abc import Iterator
from itertools import accumulate, chain, pairwise, repeat

from services.query.answers import Kept, kept
from services.query.columns import Columns, Read
from shared.responses import encode

ROWS = 256
"""Of how many rows a part is made: so few that little is made in vain, so many that looking at them takes no time."""

Part = tuple[Columns | None, memoryview]
"""The rows of a part, and its text with the bracket or comma before it."""

_NONE: Part = (None, memoryview(b""))


def remade(answer: Kept, read: Read) -> Kept:
    """Return the answer as it is made of what was read now."""
    texts = list(_texts(answer, read)) if answer.make.rows else []
    # Of no rows, and of what is no list, the whole is made.
    body = b"".join(chain(texts, [b"]"])) if texts else encode(answer.make.of(read.columns))
    again = kept(answer.question, read, answer.make, answer.plain.headers, body)
    again.ends = list(accumulate(map(len, texts), initial=0))
    return again


def _texts(answer: Kept, read: Read) -> Iterator[memoryview]:
    number = answer.make.rows
    others = read.columns[number:]
    make = answer.make.prepare(others)
    before = _before(answer) if others == answer.read.columns[number:] else []
    parts = _cut(read.columns[:number])
    for part, lead, (rows, text) in zip(parts, chain([b"["], repeat(b",")), chain(before, repeat(_NONE)), strict=False):
        yield text if part == rows else _text(lead, make(part))


def _text(lead: bytes, items: list[object]) -> memoryview:
    """Return the text of some items, without the bracket at the end."""
    text = bytearray(encode(items))
    text[:1] = lead
    return memoryview(text)[:-1]


def _before(answer: Kept) -> Iterator[Part]:
    """Yield the parts that an answer was made of, if it was made of parts."""
    body = memoryview(answer.plain.body)
    texts = (body[begin:end] for begin, end in pairwise(answer.ends))
    return zip(_cut(answer.read.columns[: answer.make.rows]), texts, strict=False)


def _cut(rows: Columns) -> Iterator[Columns]:
    for start in range(0, len(rows[0]), ROWS):
        yield [column[start : start + ROWS] for column in rows]
