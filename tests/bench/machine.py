"""What it was measured on, in words."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.bench.stage import Servers, ask

PACKAGES = ("litestar", "uvicorn", "asyncpg", "faststream", "duckdb", "msgspec")


def machine(servers: Servers) -> str:
    """Return the machine and the versions of what runs on it."""
    processor = _first(Path("/proc/cpuinfo"), "model name") or platform.processor()
    memory = int((_first(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) / 2**20
    database = ask(servers.postgres, "SELECT current_setting('server_version')")
    flushed = ask(servers.postgres, "SELECT current_setting('synchronous_commit')")
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}; "
        f"PostgreSQL {database.split()[0]} (synchronous_commit {flushed}); "
        f"Python {platform.python_version()}, {packages}; commit {_commit()}"
    )


def busy() -> str:
    """Return how busy the machine is with other things, to be told beside the figures."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _first(path: Path, name: str) -> str | None:
    if not path.exists():
        return None
    lines = (line for line in path.read_text().splitlines() if line.startswith(name))
    return next((line.partition(":")[2].strip() for line in lines), None)


def _commit() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
