"""Processes of adledger for tests, started as a user would start them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.serving import listen

START_SECONDS = 60.0


@dataclass(frozen=True)
class Running:
    """A process of adledger, where it listens, and where it logs."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def http(self) -> httpx.Client:
        """Return a client of it."""
        return httpx.Client(base_url=self.url, timeout=30)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it and return its exit status."""
        self.process.send_signal(number)
        return self.process.wait(40)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    folder: Path,
    *command: str,
    settings: Mapping[str, str],
    ready: bool = True,
    program: Sequence[str] = ("-m", "services.cli"),
    code: Path | None = None,
) -> Iterator[Running]:
    """Run `adledger` with these settings and no others until the context ends; with `ready`, wait until it is.

    `code` is a folder with other sources than these, `program` what Python runs instead of the command line.
    """
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADLEDGER_")}
    environment |= {"ADLEDGER_PORT": str(port), "ADLEDGER_DATA_DIR": str(folder / "data"), **settings}
    log = folder / f"{'-'.join(command)}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *program, *command],
            env=environment,
            cwd=code,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    started = Running(process, f"http://127.0.0.1:{port}", log)
    try:
        if ready:
            wait_until_ready(started)
        yield started
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(40)


def wait_until_ready(running: Running) -> None:
    """Wait until the process says that it can do its job; raises `AssertionError` with its log if it never does."""
    wait_for(running, "/health/ready")


def wait_for(running: Running, path: str, seconds: float = START_SECONDS) -> None:
    """Wait until the process answers at a path with success; raises `AssertionError` with its log if it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and running.process.poll() is None:
        try:
            if httpx.get(f"{running.url}{path}", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"no success at {path}:\n{running.log.read_text()}")


def command(*arguments: str, settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of `adledger` to its end, with these settings and no others."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ADLEDGER_")}
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        env=environment | dict(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
