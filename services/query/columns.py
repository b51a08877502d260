"""What an answer is made of: the columns that a statement gives at a version, and what makes the answer of them.

Pure: no framework.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from services.query.dataset import Version

Columns = list[list[Any]]
"""The rows of an answer, column by column: that is fewer and larger values to carry and to decode."""

Make = Callable[[Columns], Any]
"""What makes an answer of columns, and always the same of the same."""

VALUE_BYTES = 40
"""About what a value of a column takes: a number, or a day."""


class Read(NamedTuple):
    """What was read: the statement, its values, and the columns it gave at a version."""

    statement: str
    values: tuple[object, ...]
    version: Version
    columns: Columns

    @property
    def size(self) -> int:
        """Return about how many bytes it takes, but for texts in the columns."""
        return len(self.statement) + VALUE_BYTES * (len(self.values) + sum(map(len, self.columns)))
