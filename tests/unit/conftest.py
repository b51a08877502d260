from collections.abc import Iterator

import pytest

from tests.support.reading import Reader, reader


@pytest.fixture(scope="session")
def files() -> Iterator[Reader]:
    """A reader of files, one for all tests: what was read before must not show."""
    with reader() as opened:
        yield opened
