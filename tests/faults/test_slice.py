"""A slice of the fault suite, short enough for every run of the tests; `make faults` runs the whole."""

import pytest

from tests.faults.broker import program
from tests.faults.plans import slice_
from tests.faults.suite import run, table

SEED = 20260131
SECONDS = 50.0


@pytest.mark.skipif(program() is None, reason="rabbitmq-server is not installed; the faults kill a broker of their own")
def test_a_slice_of_the_faults_loses_nothing_and_doubles_nothing() -> None:
    said: list[str] = []
    rows = run(slice_(), SEED, SECONDS, said.append)
    assert not [row.violations for row in rows if row.violations], "\n".join([*said, table(rows)])
