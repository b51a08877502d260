"""The processes of one adledger, each of which may be killed, stopped and started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from shared.failpoints import SETTING
from tests.support.running import Running, running, wait_until_ready

COMMANDS = {"ingest": ("serve", "ingest"), "query": ("serve", "query"), "consumer": ("consume",)}


class Fleet:
    """One ingest, one query and some consumers; a name stands for whatever process plays that part now."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = dict(settings)
        self._stack = ExitStack()
        self._running: dict[str, Running] = {}
        self.logs: list[Path] = []

    def __getitem__(self, name: str) -> Running:
        return self._running[name]

    def start(self, name: str, failpoint: str = "") -> None:
        """Start the process of this name; the part before the dash says what it is."""
        command = COMMANDS[name.partition("-")[0]]
        settings = self._settings | ({SETTING: failpoint} if failpoint else {})
        context = running(self._folder, *command, settings=settings, ready=False)
        self._running[name] = self._stack.enter_context(context)
        self.logs.append(self._running[name].log)

    async def ready(self, *names: str) -> None:
        """Wait until these processes can do their jobs."""
        for name in names:
            await asyncio.to_thread(wait_until_ready, self._running[name])

    def kill(self, name: str) -> None:
        """End a process as a crash would; it is gone when this returns."""
        process = self._running[name].process
        process.kill()
        process.wait(10)

    def signal(self, name: str, number: int) -> None:
        """Send a process a signal."""
        self._running[name].process.send_signal(number)

    async def dies(self, name: str, seconds: float) -> bool:
        """Tell whether the process ends by itself within this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._running[name].process.poll() is None:
                    await asyncio.sleep(0.02)
                return True
        return False

    async def reaches(self, name: str, words: str, seconds: float) -> bool:
        """Tell whether the process says these words in its log within this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while words not in self._running[name].log.read_text():
                    await asyncio.sleep(0.02)
                return True
        return False

    def dead(self) -> list[str]:
        """Return the names of processes that are not there."""
        return [name for name, each in self._running.items() if each.process.poll() is not None]

    def stop(self, *names: str) -> None:
        """Ask processes to end, and wait until they have; raises `subprocess.TimeoutExpired` when one does not."""
        for name in names:
            self._running[name].process.terminate()
        for name in names:
            self._running[name].process.wait(40)

    def close(self) -> None:
        """End everything that was started."""
        for each in self._running.values():
            if each.process.poll() is None:
                os.kill(each.process.pid, signal.SIGCONT)
        self._stack.close()
