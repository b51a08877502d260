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
"""The rows of a part, and its text without brackets."""

_NONE: Part = (None, memoryview(b""))


def remade(answer: Kept, read: Read) -> Kept:
    """Return the answer as it is made of what was read now."""
    texts = list(_texts(answer, read)) if answer.make.rows else []
    body = b"[%s]" % b",".join(texts) if answer.make.rows else encode(answer.make.of(read.columns))
    again = kept(answer.question, read, answer.make, answer.plain.headers, body)
    again.ends = list(accumulate((len(text) + 1 for text in texts), initial=1))
    return again


def _texts(answer: Kept, read: Read) -> Iterator[memoryview]:
    number = answer.make.rows
    others = read.columns[number:]
    make = answer.make.prepare(others)
    before = _before(answer) if others == answer.read.columns[number:] else []
    parts = _cut(read.columns[:number])
    for part, (rows, text) in zip(parts, chain(before, repeat(_NONE)), strict=False):
        yield text if part == rows else memoryview(encode(make(part)))[1:-1]


def _before(answer: Kept) -> Iterator[Part]:
    """Yield the parts that an answer was made of, if it was made of parts."""
    body = memoryview(answer.plain.body)
    texts = (body[begin : end - 1] for begin, end in pairwise(answer.ends))
    return zip(_cut(answer.read.columns[: answer.make.rows]), texts, strict=False)


def _cut(rows: Columns) -> Iterator[Columns]:
    for start in range(0, len(rows[0]), ROWS):
        yield [column[start : start + ROWS] for column in rows]
