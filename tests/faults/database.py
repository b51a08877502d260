"""A PostgreSQL of our own, which may be stopped at once and started again, with its backends ended at will."""

import asyncio
import os
import signal
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from services.embedded import EmbeddedPostgres

LIVE_SECONDS = 30.0
FOLDER_VARIABLE = "ADLEDGER_FAULTS_POSTGRES"
"""Names the folder of another PostgreSQL's programs than those of the wheel."""
OTHERS = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"

ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What may come of a question to a server that is under attack."""


class Postgres:
    """One server over one directory, on a socket of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o711)
        self._pid_file = folder / "postgres" / "postmaster.pid"
        self._server = EmbeddedPostgres(folder)
        if FOLDER_VARIABLE in os.environ:
            self._server._bin = Path(os.environ[FOLDER_VARIABLE])

    @property
    def url(self) -> str:
        return self._server.url

    def start(self) -> None:
        """Start the server, for the first time."""
        self._server.start()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a bare connection to the server."""
        folder = parse_qs(urlsplit(self.url).query)["host"][0]
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")

    async def version(self) -> str:
        """Return which PostgreSQL it is."""
        connection = await asyncpg.connect(self.url)
        try:
            return str(await connection.fetchval("SHOW server_version"))
        finally:
            await connection.close()

    def stop_at_once(self) -> None:
        """Stop it as a power cut would, leaving recovery to the next start; nothing is running when this returns."""
        self._signal(signal.SIGQUIT)

    def stop_fast(self) -> None:
        """Stop it as an operator would, ending every connection."""
        self._signal(signal.SIGINT)

    def start_again(self) -> None:
        """Start it after a stop; it answers when this returns."""
        assert self._server.restart_if_dead(), "the server was running"

    async def end_backends(self, limit: int = 1000) -> int:
        """End other connections to the server, the busy ones first, and return how many there were."""
        connection = await asyncpg.connect(self.url)
        try:
            busy_first = f"SELECT pg_terminate_backend(pid) {OTHERS} ORDER BY state <> 'active', random() LIMIT $1"
            return len(await connection.fetch(busy_first, limit))
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
