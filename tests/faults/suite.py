"""Runs scenarios one after another, and keeps count."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import Findings
from tests.faults.scenario import Scenario
from tests.faults.stage import Servers, Stage, servers

logger = logging.getLogger(__name__)

COLUMNS = ("fault", "moment", "runs", "rows accepted", "rows lost", "rows doubled", "seconds to recover")
ROWS_LIMIT = 350_000
"""After so many rows a stage is replaced: everything that was ever sent to it is checked after each fault."""

Say = Callable[[str], None]


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

    def add(self, findings: Findings) -> None:
        """Take note of what was found."""
        self.lost += findings.lost
        self.doubled += findings.doubled
        self.violations += findings.violations

    def cells(self) -> tuple[str, ...]:
        counts = (str(self.runs), f"{self.accepted:,}", str(self.lost), str(self.doubled), f"{self.slowest:.1f}")
        return (self.scenario.fault, self.scenario.moment, *counts)


@dataclass(frozen=True)
class Limits:
    """Until when scenarios are begun at all, until when they are repeated, and how much longer their faults last."""

    seconds: float
    repeating: float = 0.0
    patience: float = 1.0


def run(scenarios: list[Scenario], seed: int, limits: Limits, say: Say) -> list[Row]:
    """Run each scenario, and then again for as long as there is time; what it made stays only if something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="adledger-faults-"))
    folder.chmod(0o711)
    rows: list[Row] = []
    try:
        with servers(folder) as shared:
            rows = asyncio.run(_Run(shared, seed, limits, say).all([Row(each) for each in scenarios]))
    finally:
        if not rows or any(row.violations for row in rows):
            say(f"What happened is kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return rows


class _Run:
    """A run over all scenarios, on one stage for as long as that is good for it."""

    def __init__(self, shared: Servers, seed: int, limits: Limits, say: Say) -> None:
        self._shared, self._seed, self._limits, self._say = shared, seed, limits, say
        self._begin = time.monotonic()
        self._stage: Stage | None = None

    def _is_time_left(self, seconds: float) -> bool:
        return time.monotonic() - self._begin < seconds

    async def all(self, rows: list[Row]) -> list[Row]:
        self._say(f"PostgreSQL {await self._shared.postgres.version()}, RabbitMQ {await self._shared.broker.version()}")
        try:
            for turn in range(max(row.scenario.runs for row in rows)):
                for number, row in enumerate(rows):
                    wanted = self._limits.repeating if turn else self._limits.seconds
                    if turn < row.scenario.runs and self._is_time_left(wanted):
                        await self._once(row, self._seed * 10**6 + turn * 1000 + number)
                        self._say(" | ".join(row.cells()))
        finally:
            await self._replace_stage(None)
        for row in rows:
            if not row.runs and not row.violations:
                row.violations.append("there was no time for it")
            for words in row.violations:
                self._say(f"VIOLATED: {row.scenario.fault}, {row.scenario.moment}: {words}")
        return rows

    async def _once(self, row: Row, seed: int) -> None:
        if row.violations:
            return
        self._shared.history.note("scenario", fault=row.scenario.fault, moment=row.scenario.moment, seed=seed)
        try:
            await self._round(row, seed)
        except Exception as error:
            logger.exception("A scenario ended early.")
            row.violations.append(f"{type(error).__name__}: {error}")
        if row.violations:
            await self._replace_stage(None)

    async def _round(self, row: Row, seed: int) -> None:
        stage = await self._ready_stage()
        stage.seed(seed)
        before = stage.load.rows_accepted
        recovery, findings = await stage.round(row.scenario.act, large=row.scenario.large)
        row.runs += 1
        row.accepted += stage.load.rows_accepted - before
        row.slowest = max(row.slowest, recovery)
        row.add(findings)
        if not row.violations and stage.load.rows_accepted > ROWS_LIMIT:
            row.add(await stage.farewell())
            await self._replace_stage(None)

    async def _ready_stage(self) -> Stage:
        if self._stage is None:
            stage = Stage(self._shared, self._limits.patience)
            await self._replace_stage(stage)
            await stage.open()
            return stage
        return self._stage

    async def _replace_stage(self, stage: Stage | None) -> None:
        before, self._stage = self._stage, stage
        if before is not None:
            await before.close()


def table(rows: list[Row]) -> str:
    """Return the rows as a table for people."""
    lines = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * len(texts[0]), *texts[1:]])
