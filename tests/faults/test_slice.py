"""A slice of the fault suite, about a minute long; `make faults` runs the whole."""

import pytest

from tests.faults.broker import program
from tests.faults.plans import slice_
from tests.faults.suite import Limits, run, table

SEED = 20260131
LIMITS = Limits(seconds=90, recovery=120)
"""On a machine that is busy with other things fewer faults are caused, and each may take longer to recover from."""


@pytest.mark.timeout(900)
@pytest.mark.skipif(program() is None, reason="rabbitmq-server is not installed; the faults kill a broker of their own")
def test_a_slice_of_the_faults_loses_nothing_and_doubles_nothing() -> None:
    said: list[str] = []
    rows = run(slice_(), SEED, LIMITS, said.append)
    found = "\n".join([*said, table(rows)])
    assert not [row.violations for row in rows if row.violations], found
    assert any(row.runs for row in rows), found
