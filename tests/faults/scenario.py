"""What a fault is: how it is called, when it strikes, how it is caused, and how often."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults.stage import Stage

REACH_SECONDS = 40.0

Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A fault and its moment, how to cause it, how often, and how many clients begin with a large file."""

    fault: str
    moment: str
    act: Act
    runs: int = 1
    large: int = 0
    row: str = ""
    """Which line of the list of faults it is; empty for those that are not on it."""


def expect(stage: Stage, happened: object, what: str) -> None:
    """Note that a scenario missed its moment, so that it cannot pass without having tested anything."""
    if not happened:
        stage.load.violations.append(f"{what} did not happen, so nothing was tested")
