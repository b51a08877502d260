"""Runs scenarios one after another, and keeps count."""

import asyncio
import logging
import shutil
import signal
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.checker import Findings
from tests.faults.scenario import Scenario
from tests.faults.stage import RECOVERY_SECONDS, Servers, Stage, servers

logger = logging.getLogger(__name__)

COLUMNS = ("fault", "moment", "runs", "rows accepted", "rows lost", "rows doubled", "seconds to recover")
ROWS_LIMIT = 350_000
"""After so many rows a stage is replaced: everything that was ever sent to it is checked after each fault."""

TOGETHER = 8
"""After so many faults everything is checked; alone (`--only`) each is checked by itself."""

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
    """Until when scenarios are begun at all, and how much longer their faults last, and recovery may take."""

    seconds: float
    patience: float = 1.0
    recovery: float = RECOVERY_SECONDS


def run(scenarios: list[Scenario], seed: int, limits: Limits, say: Say) -> list[Row]:
    """Run each scenario for which there is time; what it made stays only if something is wrong."""
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
    """A run over all scenarios, some at a time under the same load, on one stage for as long as that is good for it."""

    def __init__(self, shared: Servers, seed: int, limits: Limits, say: Say) -> None:
        self._shared, self._seed, self._limits, self._say = shared, seed, limits, say
        self._begin = time.monotonic()
        self._stage: Stage | None = None
        self._peaks: dict[str, int] = {}

    async def all(self, rows: list[Row]) -> list[Row]:
        self._say(f"PostgreSQL {await self._shared.postgres.version()}, RabbitMQ {await self._shared.broker.version()}")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel(asyncio.current_task()))
        try:
            for turn in range(max(row.scenario.runs for row in rows)):
                waiting = [row for row in rows if turn < row.scenario.runs and not row.violations]
                while waiting and time.monotonic() - self._begin < self._limits.seconds:
                    waiting = await self._some(waiting[:TOGETHER], turn) + waiting[TOGETHER:]
        finally:
            await self._replace_stage(None)
        peaks = ", ".join(f"{kind} {peak / 10**6:.0f} MB" for kind, peak in self._peaks.items())
        self._say(f"The most memory that one process held: {peaks}")
        return rows

    async def _some(self, rows: list[Row], turn: int) -> list[Row]:
        """Let some faults happen, check everything, and return those for which it did not come to that."""
        struck: list[Row] = []
        try:
            stage = await self._ready_stage()
            known = len(stage.load.files)
            async with stage.busy():
                for row in rows:
                    struck.append(row)
                    await self._strike(stage, row, turn)
            await stage.quiet()
            _blame(struck, await stage.check(known))
            for kind, peak in stage.fleet.measure().items():
                self._peaks[kind] = max(peak, self._peaks.get(kind, 0))
            if stage.load.rows_accepted > ROWS_LIMIT:
                _blame(struck, await stage.farewell())
                await self._replace_stage(None)
        except Exception as error:
            logger.exception("A scenario ended early.")
            (struck or rows)[-1].violations.append(f"{type(error).__name__}: {error}")
        if any(row.violations for row in struck or rows):
            await self._replace_stage(None)
        for row in struck:
            self._say(" | ".join(row.cells()))
            for words in row.violations:
                self._say(f"    VIOLATED: {words}")
        return rows[len(struck) :] if struck else []

    async def _strike(self, stage: Stage, row: Row, turn: int) -> None:
        stage.seed(self._seed * 10**6 + turn * 1000 + zlib.crc32(f"{row.scenario.fault}{row.scenario.moment}".encode()))
        before, begin = stage.load.rows_accepted, time.monotonic()
        self._shared.history.note("scenario", fault=row.scenario.fault, moment=row.scenario.moment)
        recovery = await stage.strike(row.scenario.act, large=row.scenario.large)
        self._shared.history.note("struck", seconds=time.monotonic() - begin, recovery=recovery)
        row.runs += 1
        row.accepted += stage.load.rows_accepted - before
        row.slowest = max(row.slowest, recovery)
        row.violations += stage.load.violations
        stage.load.violations.clear()

    async def _ready_stage(self) -> Stage:
        if self._stage is None:
            stage = Stage(self._shared, self._limits.patience, self._limits.recovery)
            await self._replace_stage(stage)
            await stage.open()
            return stage
        return self._stage

    async def _replace_stage(self, stage: Stage | None) -> None:
        before, self._stage = self._stage, stage
        if before is not None:
            await before.close()


def _cancel(task: "asyncio.Task[object] | None") -> Callable[[], object]:
    """Return what ends a task, so that everything that was started is ended when the suite is told to end."""
    return task.cancel if task else signal.raise_signal


def _blame(rows: list[Row], findings: Findings) -> None:
    """Count what was found after several faults against each of them: any may be to blame."""
    for row in rows:
        row.add(findings)


def table(rows: list[Row]) -> str:
    """Return the rows as a table for people."""
    lines = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([texts[0], "-" * len(texts[0]), *texts[1:]])
