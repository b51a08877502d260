"""Work that dies at one of the consumer's failpoints, before it commits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from shared import failpoints
from shared.failpoints import Failpoint, FailpointError

BEFORE_COMMITS = ("receipted", "appended", "recorded", "folding", "folded", "compacted")
"""The failpoints of the consumer's own steps."""


@dataclass
class Work:
    """Whether what was done in a context came to its end."""

    survived: bool = True


@contextmanager
def dying_at(failpoint: str | None) -> Iterator[Work]:
    """Let what is done in the context die when it first comes to a failpoint."""
    work = Work()
    try:
        with patch.object(failpoints, "reach", Failpoint(failpoint or "", 1, "raise").reach):
            yield work
    except FailpointError:
        work.survived = False
