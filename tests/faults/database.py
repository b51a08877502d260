"""A PostgreSQL of our own, which may be stopped at once and started again, with its backends ended at will."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg

from services.embedded import EmbeddedPostgres

LIVE_SECONDS = 30.0


class Postgres:
    """One server over one directory, on a socket of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o711)
        self._pid_file = folder / "postgres" / "postmaster.pid"
        self._server = EmbeddedPostgres(folder)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        """Start the server, for the first time."""
        self._server.start()

    def stop_at_once(self) -> None:
        """Stop it as a power cut would, leaving recovery to the next start; nothing is running when this returns."""
        self._signal(signal.SIGQUIT)

    def start_again(self) -> None:
        """Start it after a stop; it answers when this returns."""
        assert self._server.restart_if_dead(), "the server was running"

    async def end_backends(self) -> int:
        """End every other connection to the server, and return how many there were."""
        connection = await asyncpg.connect(self.url)
        try:
            ended = await connection.fetch(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
            )
            return len(ended)
        finally:
            await connection.close()

    def close(self) -> None:
        """Stop the server for good."""
        self._server.stop()

    def _signal(self, number: int) -> None:
        pid = int(self._pid_file.read_text().split()[0])
        os.kill(pid, number)
        asyncio.run(_gone(pid))


async def _gone(pid: int) -> None:
    async with asyncio.timeout(LIVE_SECONDS):
        while _is_running(pid):
            await asyncio.sleep(0.02)


def _is_running(pid: int) -> bool:
    """Tell whether the process is there and not merely waiting for its parent to take note of its end."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
