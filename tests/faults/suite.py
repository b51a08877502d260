"""Runs scenarios one after another, and keeps count."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.scenarios import Scenario
from tests.faults.stage import Servers, Stage, servers

logger = logging.getLogger(__name__)

COLUMNS = ("fault", "moment", "runs", "rows accepted", "rows lost", "rows doubled", "seconds to recover")


@dataclass
class Row:
    """What came of one scenario."""

    scenario: Scenario
    runs: int = 0
    accepted: int = 0
    lost: int = 0
    doubled: int = 0
    slowest: float = 0.0
    violations: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        runs = str(self.runs) if self.runs == self.scenario.runs else f"{self.runs} of {self.scenario.runs}"
        counts = (f"{self.accepted:,}", str(self.lost), str(self.doubled), f"{self.slowest:.1f}")
        return (self.scenario.fault, self.scenario.moment, runs, *counts)


def run(scenarios: list[Scenario], seed: int, seconds: float, say: Callable[[str], None]) -> list[Row]:
    """Run scenarios for at most about so many seconds; what it made stays only where something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="adledger-faults-"))
    folder.chmod(0o711)
    rows: list[Row] = []
    try:
        with servers(folder) as shared:
            rows = asyncio.run(_run(shared, scenarios, seed, time.monotonic() + seconds, say))
    finally:
        if not rows or any(row.violations for row in rows):
            say(f"What happened is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return rows


async def _run(
    shared: Servers, scenarios: list[Scenario], seed: int, end: float, say: Callable[[str], None]
) -> list[Row]:
    rows = []
    for number, scenario in enumerate(scenarios):
        row = Row(scenario)
        rows.append(row)
        shared.history.note("scenario", fault=scenario.fault, moment=scenario.moment)
        stage = Stage(shared, seed * 1000 + number)
        try:
            await stage.open()
            await _repeat(stage, row, end)
        except Exception as error:
            logger.exception("A scenario ended early.")
            row.violations.append(f"{type(error).__name__}: {error}")
        finally:
            await stage.close()
        if not row.runs and not row.violations:
            row.violations.append("there was no time for it")
        say(" | ".join(row.cells()))
        for words in row.violations:
            say(f"    VIOLATED: {words}")
    return rows


async def _repeat(stage: Stage, row: Row, end: float) -> None:
    while row.runs < row.scenario.runs and time.monotonic() < end and not row.violations:
        recovery, findings = await stage.round(row.scenario.act, large=row.scenario.large)
        row.runs += 1
        row.accepted = stage.load.rows_accepted
        row.slowest = max(row.slowest, recovery)
        row.lost += findings.lost
        row.doubled += findings.doubled
        row.violations += findings.violations
    if row.runs and not row.violations:
        row.violations += (await stage.farewell()).violations


def table(rows: list[Row]) -> str:
    """Return the rows as a table for people."""
    lines = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * len(texts[0]), *texts[1:]])
