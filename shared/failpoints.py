"""Places where a test may let a process die, fail or dawdle; nothing happens there unless a setting asks for it.

`ADLEDGER_FAILPOINT=<name>:<nth>:kill|raise|sleep|hang` acts when the process comes to the place of that name for the
nth time, once. The fault suite in `tests/faults` sets it; nobody else should.
"""

import asyncio
import logging
import os
import signal
from dataclasses import dataclass

logger = logging.getLogger(__name__)

SETTING = "ADLEDGER_FAILPOINT"
ACTIONS = {"kill", "raise", "sleep", "hang"}
SLEEP_SECONDS = 5.0


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
        self._read = False
        self._failpoint: Failpoint | None = None

    async def reach(self, name: str) -> None:
        if not self._read:
            self._read, self._failpoint = True, parse(os.environ.get(SETTING, ""))
        if self._failpoint is not None:
            await self._failpoint.reach(name)


_armed = _Armed()


async def reach(name: str) -> None:
    """Say that the process has come to the place of this name."""
    await _armed.reach(name)
