"""One adledger under fault: its database, its queues, its processes, its clients, and the wait until all is quiet."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
from aiormq.exceptions import AMQPError

from services.processes import migrate
from shared.topology import Topology
from tests.faults.broker import Broker
from tests.faults.checker import Findings, check, depths, unsettled
from tests.faults.database import Postgres
from tests.faults.files import File
from tests.faults.fleet import Fleet
from tests.faults.history import History
from tests.faults.load import Load
from tests.support.databases import execute, named

RECOVERY_SECONDS = 30.0
ROUND_SECONDS = 300.0
CONSUMERS = ("consumer-1", "consumer-2")


@dataclass(frozen=True)
class Servers:
    """What all stages of a run share."""

    folder: Path
    broker: Broker
    postgres: Postgres
    history: History


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run a broker and a database of our own, and leave none of them behind."""
    with contextlib.ExitStack() as stack:
        history = History(folder / "history.jsonl")
        stack.callback(history.close)
        broker = Broker(folder / "broker")
        stack.callback(broker.close)
        postgres = Postgres(folder / "postgres")
        stack.callback(postgres.close)
        broker.launch()
        postgres.start()
        asyncio.run(broker.answers())
        yield Servers(folder, broker, postgres, history)


class Stage:
    """Everything of one adledger, on a database and queues that nothing else uses."""

    def __init__(self, servers: Servers, seed: int) -> None:
        name = f"faults_{uuid4().hex[:8]}"
        self.broker, self.postgres, self.history = servers.broker, servers.postgres, servers.history
        self.chance = random.Random(seed)
        self.topology = Topology(name)
        self.database = named(servers.postgres.url, name)
        folder = servers.folder / name
        folder.mkdir()
        settings = {
            "ADLEDGER_DATABASE_URL": self.database,
            "ADLEDGER_AMQP_URL": servers.broker.url,
            "ADLEDGER_QUEUE_PREFIX": name,
            "ADLEDGER_DATA_DIR": str(folder / "data"),
        }
        self.fleet = Fleet(folder, settings)
        self.load = Load(self.fleet, self.history, self.chance)
        self.poison = 0

    async def open(self) -> None:
        """Make the database and start every process."""
        await execute(self.postgres.url, f"CREATE DATABASE {self.topology.prefix}")
        await asyncio.to_thread(migrate, self.database)
        names = ("ingest", "query", *CONSUMERS)
        for name in names:
            self.fleet.start(name)
        await self.fleet.ready(*names)

    async def round(self, act: Callable[["Stage"], Awaitable[None]], *, large: int = 0) -> tuple[float, Findings]:
        """Keep clients busy while a fault happens; return how long recovery took, and what is wrong afterwards."""
        over = asyncio.Event()
        async with asyncio.timeout(ROUND_SECONDS):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_busy(over, large))
                await act(self)
                self.history.note("fault over")
                recovery = await self.recovers()
                over.set()
            await self.quiet()
            findings = await self.check()
        if recovery > RECOVERY_SECONDS:
            findings.violations.append(f"recovery took {recovery:.1f} s")
        return recovery, findings

    async def _keep_busy(self, over: asyncio.Event, large: int) -> None:
        await self.load.burst(4, 4, large=large)
        while not over.is_set():
            await asyncio.sleep(0.3)
            await self.load.burst(3, 3)

    async def recovers(self) -> float:
        """Return how long it takes from now until what is sent now is applied."""
        begin = time.monotonic()
        file = await self.load.probe()
        await self._until_settled([file], 3 * RECOVERY_SECONDS)
        return time.monotonic() - begin

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more; what is promised and does not come is the check's to tell."""
        with contextlib.suppress(TimeoutError):
            await self._until_settled(self.load.files, RECOVERY_SECONDS)
            async with asyncio.timeout(RECOVERY_SECONDS):
                while any(await self._waiting()):
                    await asyncio.sleep(0.2)

    async def _until_settled(self, files: list[File], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    async with self.connected() as connection:
                        while await unsettled(connection, files):
                            await asyncio.sleep(0.1)
                        return
                await asyncio.sleep(0.2)

    async def _waiting(self) -> tuple[int, int]:
        with contextlib.suppress(OSError, AMQPError):
            waiting = await depths(self.broker.url, self.topology)
            return waiting[self.topology.batches], waiting[self.topology.commands]
        return 1, 1

    async def check(self) -> Findings:
        """Hold database, queues, states and logs against what was sent."""
        async with self.connected() as connection:
            findings = await check(connection, self.load.files)
            if still := await unsettled(connection, self.load.files):
                findings.violations.append(still)
        waiting = await depths(self.broker.url, self.topology)
        wanted = {self.topology.dead_letters: self.poison, self.topology.batches: 0, self.topology.commands: 0}
        if waiting != wanted:
            findings.violations.append(f"queues hold {waiting} instead of {wanted}")
        findings.violations += [*self.load.violations, *await self._wrong_states(), *self._logged()]
        findings.violations += [f"{name} is not there" for name in self.fleet.dead()]
        self.load.violations.clear()
        self.history.note("checked", violations=findings.violations, files=len(self.load.files))
        return findings

    async def _wrong_states(self) -> list[str]:
        wrong = []
        for file in self.load.files:
            expected = "applied" if file.upload.place is not None else "reverted"
            if (state := await self.load.state(file)) != expected:
                wrong.append(f"{file.name} is said to be {state}, and is {expected}")
        return wrong

    def _logged(self) -> list[str]:
        secrets = (self.broker.password, "was never retrieved", "was never awaited")
        texts = {log: log.read_text(errors="replace") for log in self.fleet.logs}
        return [f"{log.name} holds {words!r}" for log, text in texts.items() for words in secrets if words in text]

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection to the stage's database."""
        connection = await asyncpg.connect(self.database, timeout=5)
        try:
            yield connection
        finally:
            await connection.close()

    async def farewell(self) -> Findings:
        """Stop the consumers as an orchestrator would: they hand back what they hold, which must be nothing."""
        await asyncio.to_thread(self.fleet.stop, *CONSUMERS)
        findings = await self.check()
        findings.violations = [words for words in findings.violations if not words.endswith("is not there")]
        return findings

    async def close(self) -> None:
        """End every process and drop the database."""
        await self.load.close()
        await asyncio.to_thread(self.fleet.close)
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            await execute(self.postgres.url, f"DROP DATABASE IF EXISTS {self.topology.prefix} WITH (FORCE)")
