"""What an answer is made of: the columns that a statement gives at a version, and what makes the answer of them.

Pure: no framework.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from sys import getsizeof
from typing import Any, Generic, NamedTuple, TypeVar

from services.query.dataset import Version

Columns = Sequence[Sequence[Any]]
"""The rows of an answer, column by column: that is fewer and larger values to carry and to decode."""

VALUE_BYTES = 32
"""About what a number of a column takes beside its place in it, unless it is packed."""

T = TypeVar("T")


@dataclass(frozen=True)
class Make(Generic[T]):
    """What makes an answer of columns, and always the same of the same; it must look at nothing else.

    `prepare` is given all columns but the first `rows`, and returns what makes the answer of these. Where it makes a
    list, of which each item is made of one row of them, it makes parts of the list of parts of the rows.
    """

    prepare: Callable[[Columns], Callable[[Columns], T]]
    rows: int = 0

    def of(self, columns: Columns) -> T:
        """Return the answer."""
        return self.prepare(columns[self.rows :])(columns[: self.rows])


def whole(make: Callable[[Columns], T]) -> Make[T]:
    """Return what makes an answer of all columns at once."""
    return Make(lambda columns: lambda _: make(columns))


class Read(NamedTuple):
    """What was read: the statement, its values, and the columns it gave at a version."""

    statement: str
    values: tuple[object, ...]
    version: Version
    columns: Columns

    @property
    def size(self) -> int:
        """Return about how many bytes it takes, but for texts in the columns."""
        lists = sum(len(column) for column in self.columns if isinstance(column, list))
        return len(self.statement) + VALUE_BYTES * (len(self.values) + lists) + sum(map(getsizeof, self.columns))
