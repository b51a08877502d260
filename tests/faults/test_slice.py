"""A slice of the fault suite for a run of the tests that asks for it; `make faults` runs the whole."""

import os

import pytest

from tests.faults.broker import program
from tests.faults.plans import slice_
from tests.faults.suite import run, table

SEED = 20260131
SECONDS = 150.0


@pytest.mark.skipif(
    "ADLEDGER_FAULTS" not in os.environ,
    reason="set ADLEDGER_FAULTS=1 to run it: how long it takes depends too much on the machine to hold up every run",
)
@pytest.mark.skipif(program() is None, reason="rabbitmq-server is not installed; the faults kill a broker of their own")
def test_a_slice_of_the_faults_loses_nothing_and_doubles_nothing() -> None:
    said: list[str] = []
    rows = run(slice_(), SEED, SECONDS, said.append)
    assert not [row.violations for row in rows if row.violations], "\n".join([*said, table(rows)])
