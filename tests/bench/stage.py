"""Where it is measured: an adledger of three processes, on a database and queues that nothing else uses."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import asyncpg
import httpx

from services.processes import migrate
from shared.topology import Topology
from tests.support.databases import EMPTY, database
from tests.support.running import Running, running

SETTLE_SECONDS = 1800.0
POLL_SECONDS = 0.1
SETTLED = {"applied", "failed", "abandoned"}


@dataclass(frozen=True)
class Servers:
    """Where PostgreSQL and RabbitMQ are, a database to clone, and a folder for files."""

    postgres: str
    rabbitmq: str
    template: str
    folder: Path


@dataclass
class Ours:
    """A running adledger, its consumers apart, which may be more or fewer."""

    database: str
    settings: dict[str, str]
    folder: Path
    ingest: Running
    query: Running
    client: httpx.Client
    peaks: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def consumers(self, number: int) -> Iterator[list[Running]]:
        """Run some consumers for as long as the context lasts."""
        with contextlib.ExitStack() as stack:
            starting = (running(self.folder, "consume", settings=self.settings) for _ in range(number))
            started = [stack.enter_context(each) for each in starting]
            yield started
            for consumer in started:
                self._note("consumer", consumer)

    def note_memory(self) -> None:
        """Note the most memory that the two APIs have had."""
        self._note("ingest", self.ingest)
        self._note("query", self.query)

    def _note(self, name: str, process: Running) -> None:
        self.peaks[name] = max(self.peaks.get(name, 0), peak_memory(process.process.pid))

    def send(self, path: Path) -> dict[str, Any]:
        """Upload a file and return the upload as accepted."""
        with path.open("rb") as content:
            answer = self.client.post("/uploads", params={"filename": path.name}, content=content)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise AssertionError(answer.text)
        upload: dict[str, Any] = answer.json()["uploads"][0]
        return upload

    def wait_until_applied(self, uploads: Sequence[dict[str, Any]]) -> None:
        """Ask the read API until it says that the uploads count; raises `AssertionError` when one never does."""
        end = time.monotonic() + SETTLE_SECONDS
        with httpx.Client(base_url=self.query.url, timeout=60) as http:
            for upload in uploads:
                while (state := self._state(http, upload)) not in SETTLED and time.monotonic() < end:
                    time.sleep(POLL_SECONDS)
                if state != "applied":
                    raise AssertionError(f"{upload['filename']} is {state}")

    @staticmethod
    def _state(http: httpx.Client, upload: dict[str, Any]) -> str:
        answer = http.get(f"/uploads/{upload['id']}")
        if not answer.is_success or answer.json()["received_at"] < upload["received_at"]:
            return "unknown"
        return str(answer.json()["state"])

    def load(self, path: Path) -> float:
        """Upload a file; return the seconds until the read API answers with it, campaign by campaign."""
        began = time.perf_counter()
        self.wait_until_applied([self.send(path)])
        httpx.get(f"{self.query.url}/campaigns", timeout=60).raise_for_status()
        return time.perf_counter() - began


@contextmanager
def ours(servers: Servers) -> Iterator[Ours]:
    """Run ingest and query on a database and queues of their own, and leave nothing behind."""
    name = f"bench-{uuid4().hex[:8]}"
    folder = servers.folder / name
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(database(servers.postgres, servers.template))
        settings = {
            "ADLEDGER_DATABASE_URL": address,
            "ADLEDGER_AMQP_URL": servers.rabbitmq,
            "ADLEDGER_QUEUE_PREFIX": name,
        }
        stack.callback(lambda: asyncio.run(delete_queues(servers.rabbitmq, list(Topology(name).queues()))))
        ingest, query = (
            stack.enter_context(running(folder, "serve", service, settings=settings)) for service in ("ingest", "query")
        )
        # One for all uploads: making one, which reads all certificates, takes as much as taking a small upload.
        client = stack.enter_context(httpx.Client(base_url=ingest.url, timeout=SETTLE_SECONDS))
        yield Ours(address, settings, folder, ingest, query, client)


@contextmanager
def template(postgres: str) -> Iterator[str]:
    """Yield the name of a migrated database to clone."""
    with database(postgres, EMPTY) as address:
        migrate(address)
        yield urlsplit(address).path.removeprefix("/")


async def delete_queues(rabbitmq: str, names: Sequence[str]) -> None:
    """Delete queues, whatever is in them."""
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        for name in names:
            await channel.queue_delete(name)


def ask(address: str, question: str) -> Any:
    """Return the one value that a database answers with."""
    with asking(address) as put:
        return put(question)


@contextmanager
def asking(address: str) -> Iterator[Callable[[str], Any]]:
    """Yield what returns the one value that a database answers a question with, over one connection."""
    with asyncio.Runner() as loop:
        connection = loop.run(asyncpg.connect(address))
        try:
            yield lambda question: loop.run(connection.fetchval(question))
        finally:
            loop.run(connection.close())


@contextmanager
def held(address: str, table: str) -> Iterator[None]:
    """Hold a table of a database, so that nobody else reads or writes it."""
    with asyncio.Runner() as loop:
        connection = loop.run(asyncpg.connect(address))
        try:
            loop.run(connection.execute(f"BEGIN; LOCK TABLE {table}"))
            yield
        finally:
            loop.run(connection.close())


def peak_memory(process: int) -> float:
    """Return the most MB that a process has had resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
