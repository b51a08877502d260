"""The processes of one adledger, each of which may be killed, stopped and started again."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from shared.failpoints import FILE_MARK, SETTING
from tests.support.running import Running, running, wait_for

COMMANDS = {"ingest": ("serve", "ingest"), "query": ("serve", "query"), "consumer": ("consume",)}
START_SECONDS = 180.0
"""On a machine that is busy with other things a process may need this long to start."""
BATCH_BYTES = 4096
PROGRAM = str(Path(__file__).parent / "program.py")


class Fleet:
    """Ingests, a query and consumers; a name stands for whatever process plays that part now."""

    def __init__(self, folder: Path, settings: Callable[[str], dict[str, str]]) -> None:
        self._folder = folder
        self._settings = settings
        self._stack = ExitStack()
        self._running: dict[str, Running] = {}
        self.logs: list[Path] = []
        self.largest: dict[str, int] = {}

    def __getitem__(self, name: str) -> Running:
        return self._running[name]

    def start(
        self, name: str, *, skew: float = 0.0, batch: int = BATCH_BYTES, settings: dict[str, str] | None = None
    ) -> None:
        """Start the process of this name; the part before the dash says what it is."""
        command = COMMANDS[name.partition("-")[0]]
        wanted = self._settings(name) | {SETTING: f"{FILE_MARK}{self._failpoint(name)}"} | (settings or {})
        context = running(
            self._folder, *command, settings=wanted, ready=False, program=("-P", PROGRAM, str(skew), str(batch))
        )
        self._running[name] = self._stack.enter_context(context)
        self.logs.append(self._running[name].log)

    def _failpoint(self, name: str) -> Path:
        return self._folder / f"{name}.failpoint"

    def arm(self, name: str, failpoint: str) -> None:
        """Let a process that runs do something when it comes to a place in the code."""
        draft = self._failpoint(name).with_suffix(".draft")
        draft.write_text(failpoint)
        draft.replace(self._failpoint(name))

    def restart(self, name: str) -> None:
        """Kill a process, or find it dead, and start it again."""
        self.kill(name)
        self._failpoint(name).unlink(missing_ok=True)
        self.start(name)

    async def ready(self, *names: str) -> None:
        """Wait until these processes can do their jobs."""
        waiting = (asyncio.to_thread(wait_for, self._running[name], "/health/ready", START_SECONDS) for name in names)
        await asyncio.gather(*waiting)

    def named(self, kind: str) -> list[str]:
        """Return the names of the processes of a kind that are there, the oldest one first."""
        return [name for name, each in self._running.items() if name.startswith(kind) and each.process.poll() is None]

    def kill(self, name: str) -> None:
        """End a process as a crash would; it is gone when this returns, and need not be there any more."""
        self.measure()
        process = self._running.pop(name).process
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
        """Return what there is to say about processes that ended by themselves."""
        ended = [(name, each) for name, each in self._running.items() if each.process.poll() is not None]
        return [f"{name} ended by itself with {each.process.returncode}" for name, each in ended]

    def measure(self) -> dict[str, int]:
        """Return how many bytes of memory each kind of process has held at most so far."""
        for name, each in self._running.items():
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{each.process.pid}/status").read_text()
                peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
                kind = name.partition("-")[0]
                self.largest[kind] = max(peak, self.largest.get(kind, 0))
        return self.largest

    async def stop(self, *names: str) -> None:
        """Ask processes to end, and wait until they have; raises `subprocess.TimeoutExpired` when one does not."""
        self.measure()
        processes = [self._running.pop(name).process for name in names]
        for process in processes:
            process.terminate()
        for process in processes:
            await asyncio.to_thread(process.wait, 40)

    def close(self) -> None:
        """End everything that was started."""
        for each in self._running.values():
            if each.process.poll() is None:
                os.kill(each.process.pid, signal.SIGCONT)
        self._stack.close()
