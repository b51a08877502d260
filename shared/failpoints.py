"""Places where a test may let a process die, fail or dawdle; nothing happens there unless a setting asks for it.

`ADLEDGER_FAILPOINT=<name>:<nth>:kill|raise|sleep|hang` acts when the process comes to the place of that name for the
nth time, once. `ADLEDGER_FAILPOINT=@<file>` looks for the same words in a file, which may appear while the process
runs, and is removed when it is read. The fault suite in `tests/faults` sets it; nobody else should.
"""

import asyncio
import contextlib
import logging
import os
import signal
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

SETTING = "ADLEDGER_FAILPOINT"
ACTIONS = {"kill", "raise", "sleep", "hang"}
SLEEP_SECONDS = 5.0
FILE_MARK = "@"


class FailpointError(RuntimeError):
    """The failure that a failpoint was asked for."""


@dataclass
class Failpoint:
    """The one place where something is to happen, how often it is passed before, and what happens."""

    name: str
    passes: int
    action: str

    async def reach(self, name: str) -> None:
        """Act if this is the place and the time."""
        if name != self.name:
            return
        self.passes -= 1
        if self.passes == 0:
            await _act(self.action, name)


async def _act(action: str, name: str) -> None:
    logger.warning("Failpoint %s: %s.", name, action)
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "raise":
        raise FailpointError(f"Failpoint {name}.")
    elif action == "hang":
        await asyncio.Event().wait()
    await asyncio.sleep(SLEEP_SECONDS)


def parse(setting: str) -> Failpoint | None:
    """Return the failpoint that a setting asks for, None for an empty one; raises `ValueError` for nonsense."""
    if not setting:
        return None
    parts = setting.split(":")
    if len(parts) != len(("name", "nth", "action")) or parts[2] not in ACTIONS or int(parts[1]) < 1:
        raise ValueError(f"{SETTING} is <name>:<nth>:kill|raise|sleep|hang, not {setting!r}.")
    return Failpoint(parts[0], int(parts[1]), parts[2])


class _Armed:
    """Reads the setting when the first place is come to, so that nothing is read at import."""

    def __init__(self) -> None:
        self._setting: str | None = None
        self._failpoint: Failpoint | None = None

    async def reach(self, name: str) -> None:
        if self._setting is None:
            self._setting = os.environ.get(SETTING, "")
            self._failpoint = None if self._setting.startswith(FILE_MARK) else parse(self._setting)
        if self._setting.startswith(FILE_MARK):
            self._look(Path(self._setting.removeprefix(FILE_MARK)))
        if self._failpoint is not None:
            await self._failpoint.reach(name)

    def _look(self, file: Path) -> None:
        """Take what a file asks for, once."""
        with contextlib.suppress(FileNotFoundError):
            asked = file.read_text().strip()
            file.unlink()
            self._failpoint = parse(asked)


_armed = _Armed()


async def reach(name: str) -> None:
    """Say that the process has come to the place of this name."""
    await _armed.reach(name)
