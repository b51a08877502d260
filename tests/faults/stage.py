"""One adledger under fault: its database, its queues, its processes, its clients, and the wait until all is quiet."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from aiormq.exceptions import AMQPError

from services.processes import migrate
from shared.topology import Topology
from tests.faults.broker import Broker
from tests.faults.checker import Findings, check, depths, unsettled
from tests.faults.database import ERRORS, Postgres
from tests.faults.files import File
from tests.faults.fleet import Fleet
from tests.faults.history import History
from tests.faults.load import Load
from tests.faults.network import Network
from tests.faults.witness import Witness
from tests.support.databases import execute, named

RECOVERY_SECONDS = 30.0
ROUND_SECONDS = 600.0
PEAK_BYTES = 400 * 10**6
"""How much memory ingest and consumer may hold."""
CONSUMERS = ("consumer-1", "consumer-2")
INGESTS = ("ingest-1", "ingest-2")
SPARES = ("consumer-3", "ingest-3")
"""What a scenario starts beside the others, in a way of its own."""
CHECKED_STATES = 25
NOT_OURS = "coroutine 'Connection.close' was never awaited"
"""What aio-pika says when a connection that never opened is collected in a thread without a loop."""
BREATH_SECONDS = 4.0
"""How long clients wait for what they sent to be applied before they send more all the same."""


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

    def __init__(self, servers: Servers, patience: float = 1.0, bound: float = RECOVERY_SECONDS) -> None:
        name = f"faults_{uuid4().hex[:8]}"
        self.broker, self.postgres, self.history = servers.broker, servers.postgres, servers.history
        self.chance = random.Random()
        self.topology = Topology(name)
        self.database = named(servers.postgres.url, name)
        self.folder = servers.folder / name
        self.folder.mkdir()
        self.network = Network(servers.broker, servers.postgres, name, self._port_of)
        self.fleet = Fleet(self.folder, self._settings)
        self.load = Load(self._addresses, self.history)
        self.witness = Witness(self.load)
        self.calm = 0.0
        """How long an upload takes here while nothing is wrong; on a busy machine recovery may take longer, too."""
        self.poison = 0
        self.large = 0
        """How many of the clients that begin next begin with a large file."""
        self.skews = {0.0}
        self.patience, self._bound = patience, bound
        """How much longer than in a short run a fault lasts."""

    def _port_of(self, name: str) -> int:
        return urlsplit(self.fleet[name].url).port or 0

    def _settings(self, name: str) -> dict[str, str]:
        own = {"ADLEDGER_QUEUE_PREFIX": self.topology.prefix, "ADLEDGER_DATA_DIR": str(self.folder / "data")}
        return own | self.network.settings(name)

    def _addresses(self, kind: str) -> list[str]:
        return [self.network.url(name) for name in self.fleet.named(kind)]

    async def open(self) -> None:
        """Make the database and start every process."""
        await execute(self.postgres.url, f"CREATE DATABASE {self.topology.prefix}")
        await asyncio.to_thread(migrate, self.database)
        names = (*INGESTS, "query", *CONSUMERS)
        await self.network.open((*names, *SPARES))
        for name in names:
            self.fleet.start(name)
        await self.fleet.ready(*names)
        await self.witness.prepare()
        self.calm = await self.recovers()
        self.history.note("calm", seconds=self.calm)

    def seed(self, seed: int) -> None:
        """Let everything that is left to chance from now on follow from this number."""
        self.chance = random.Random(seed)
        self.load.chance = random.Random(seed)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Keep clients at work and a witness reading, for as long as the context lasts."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_busy(over))
            tasks.create_task(self.witness.watch(over))
            yield
            over.set()

    async def _keep_busy(self, over: asyncio.Event) -> None:
        """Send as fast as it is applied, so that recovery does not depend on how fast this machine is."""
        while not over.is_set():
            large, self.large = self.large, 0
            known = len(self.load.files)
            await self.load.burst(2, 3 if large else 2, large=large)
            with contextlib.suppress(TimeoutError):
                await self._until_settled(self.load.files[known:], BREATH_SECONDS)

    async def strike(self, act: Callable[["Stage"], Awaitable[None]], *, large: int = 0) -> float:
        """Let a fault happen, and return how long recovery took from its end."""
        self.large = large
        async with asyncio.timeout(ROUND_SECONDS):
            await act(self)
            self.network.heal()
            self.history.note("fault over")
            recovery = await self.recovers()
        if recovery > self._bound + 10 * self.calm:
            self.load.violations.append(f"recovery took {recovery:.1f} s")
        return recovery

    async def recovers(self) -> float:
        """Return how long it takes from now until what is sent now is applied."""
        begin = time.monotonic()
        file = await self.load.probe()
        await self._until_settled([file], 3 * self._bound)
        return time.monotonic() - begin

    async def settled(self, seconds: float = RECOVERY_SECONDS) -> None:
        """Wait until everything that was promised so far is applied."""
        await self._until_settled(list(self.load.files), seconds)

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
                with contextlib.suppress(*ERRORS):
                    async with self.connected() as connection:
                        while await unsettled(connection, files):
                            await asyncio.sleep(0.25)
                        return
                await asyncio.sleep(0.2)

    async def _waiting(self) -> tuple[int, int, int]:
        waiting = await self._depths()
        letters = abs(waiting[self.topology.dead_letters] - self.poison)
        return waiting[self.topology.batches], waiting[self.topology.commands], letters

    async def _depths(self) -> dict[str, int]:
        """Return how many messages wait in each queue; a broker that has just started may need to be asked twice."""
        while True:
            with contextlib.suppress(OSError, AMQPError):
                return await depths(self.broker.url, self.topology)
            await asyncio.sleep(0.2)

    async def check(self, known: int = 0) -> Findings:
        """Hold database, queues, states, memory and logs against what was sent; most of it since `known` files."""
        async with self.connected() as connection:
            findings = await check(connection, self.load.files, self.skews)
            if still := await unsettled(connection, self.load.files):
                findings.violations.append(still)
        waiting = await self._depths()
        wanted = {self.topology.dead_letters: self.poison, self.topology.batches: 0, self.topology.commands: 0}
        if waiting != wanted:
            findings.violations.append(f"queues hold {waiting} instead of {wanted}")
        findings.violations += [*self.load.violations, *await self._wrong_states(known), *self._logged()]
        findings.violations += [*self.fleet.dead(), *self._left_on_disk(), *self._too_much_memory()]
        self.load.violations.clear()
        self.history.note("checked", violations=findings.violations, files=len(self.load.files))
        return findings

    async def _wrong_states(self, known: int) -> list[str]:
        wrong = []
        recent = self.load.files[known:]
        for file in self.chance.sample(recent, min(CHECKED_STATES, len(recent))):
            expected = "applied" if file.upload.place() >= 0 else "reverted"
            if (state := await self.load.state(file)) != expected:
                wrong.append(f"{file.name} is said to be {state}, and is {expected}")
        return wrong

    def _logged(self) -> list[str]:
        secrets = (self.broker.password, "was never retrieved", "was never awaited")
        texts = {log: log.read_text(errors="replace").replace(NOT_OURS, "") for log in self.fleet.logs}
        return [f"{log.name} holds {words!r}" for log, text in texts.items() for words in secrets if words in text]

    def _left_on_disk(self) -> list[str]:
        """Return what ingests that are there keep of requests that are over; a killed one cannot clean up."""
        files = [file for name in self.fleet.named("ingest") for file in _open_files(self.fleet[name].process.pid)]
        homes = {path.parent for path in map(Path, files) if path.parent.name.startswith("ingest-")}
        left = [path.name for home in homes for path in home.iterdir() if path.name != "lock"]
        return [f"ingest left {left} in its spool"] if left else []

    def _too_much_memory(self) -> list[str]:
        self.fleet.measure()
        peaks = {kind: peak for kind, peak in self.fleet.largest.items() if kind != "query"}
        return [f"{kind} held {peak / 1e6:.0f} MB" for kind, peak in peaks.items() if peak > PEAK_BYTES]

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
        await self.fleet.stop(*CONSUMERS)
        return await self.check()

    async def close(self) -> None:
        """End every process and drop the database."""
        await self.load.close()
        self.network.heal()
        await asyncio.to_thread(self.fleet.close)
        await self.network.close()
        with contextlib.suppress(*ERRORS):
            await execute(self.postgres.url, f"DROP DATABASE IF EXISTS {self.topology.prefix} WITH (FORCE)")


def _open_files(pid: int) -> list[str]:
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(link.readlink()))
    return links
