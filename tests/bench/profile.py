"""`python -m tests.bench.profile`: where the time goes from a file to its numbers, stage by stage.

The product's own functions in one process, one after the other, on a database and queues of their own. Seconds
are of the clock; those of PostgreSQL's processor time are beside them where it runs on this machine, since they
depend far less on what else the machine does.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import aio_pika
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api.batching import Attempt, Sending, prepare
from services.ingest.api.publishing import rabbit_transport
from services.ingest.api.reading.parsing import Parser
from services.ingest.consumer import handler
from services.ingest.consumer.applier import Applier
from services.processes import migrate
from shared import wire
from shared.database import create_writer
from shared.topology import Topology
from tests.bench.data import Shape, add_shape, as_shape
from tests.bench.loads import Files
from tests.support.databases import EMPTY, database
from tests.support.servers import postgres_server, rabbitmq_server

TICKS = os.sysconf("SC_CLK_TCK")
WIDTH = 100


class Profile:
    """Seconds by stage, in the order in which stages first come."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.processor: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - begun

    def listen(self, engine: AsyncEngine) -> None:
        """Measure each statement that the engine runs."""

        def begin(connection: Any, *_: Any) -> None:
            connection.info["begun"] = (time.perf_counter(), _processor(connection))

        def end(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            begun, used = connection.info["begun"]
            name = "  " + " ".join(statement.split())[:WIDTH]
            self.seconds[name] += time.perf_counter() - begun
            self.processor[name] += _processor(connection) - used

        event.listen(engine.sync_engine, "before_cursor_execute", begin)
        event.listen(engine.sync_engine, "after_cursor_execute", end)

    def show(self, title: str, least: float = 0.02) -> None:
        """Print what took long enough to matter."""
        lines = [f"\n{title}", f"{'seconds':>8} {'of cpu':>7}"]
        for name, seconds in self.seconds.items():
            if seconds >= least:
                used = f"{self.processor[name]:7.2f}" if name in self.processor else " " * 7
                lines.append(f"{seconds:8.2f} {used}  {name}")
        sys.stdout.write("\n".join(lines) + "\n")


def _processor(connection: Any) -> float:
    """Return the processor time of the connection's backend so far; 0 where it cannot be seen."""
    pid = connection.connection.driver_connection.get_server_pid()
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


class Way:
    """The way in: a parser, a transport, a queue and a database."""

    def __init__(self, folder: Path, amqp: str, topology: Topology, engine: AsyncEngine) -> None:
        self._folder, self._amqp, self._topology, self._engine = folder, amqp, topology, engine
        self._parser = Parser(folder / "spill")
        self._applier = Applier(engine)

    async def load(self, path: Path) -> Profile:
        """Bring a file in and return where the time went."""
        profile = Profile()
        work = self._folder / uuid4().hex
        work.mkdir()
        with profile.stage("parse, sum, sort, write (ingest)"):
            parsed = await asyncio.to_thread(self._parser.parse, path, work)
        attempt = prepare(Sending(path.name, uuid4().hex, datetime.now(UTC)), parsed)
        async with rabbit_transport(self._amqp, self._topology) as transport:
            with profile.stage("publish until all are confirmed (ingest)"):
                await transport.publish(attempt.batches())
        await self._consume(attempt, profile)
        profile.listen(self._engine)
        with profile.stage("apply until committed (consumer), of which:"):
            await self._applier.apply_ready(wait=True)
        return profile

    async def _consume(self, attempt: Attempt, profile: Profile) -> None:
        async with await aio_pika.connect(self._amqp) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=4)
            queue = await channel.get_queue(self._topology.batches)
            for _ in range(attempt.manifest.batches):
                with profile.stage("receive (consumer)"):
                    message = None
                    while message is None:
                        message = await queue.get(fail=False)
                with profile.stage("stage: receipt, COPY, commit (consumer)"):
                    await handler.take(self._engine, wire.read_batch(message.headers, message.body))
                await message.ack()


@asynccontextmanager
async def way_in(folder: Path, postgres: str, amqp: str) -> AsyncIterator[tuple[Way, AsyncEngine]]:
    """Yield a way in with queues of its own, which are removed at the end."""
    topology = Topology(f"adledger-profile-{uuid4().hex[:8]}")
    engine = create_writer(postgres)
    try:
        yield Way(folder, amqp, topology, engine), engine
    finally:
        await engine.dispose()
        async with await aio_pika.connect(amqp) as connection:
            channel = await connection.channel()
            for name in topology.queues():
                await channel.queue_delete(name)


async def profile(shape: Shape, folder: Path, postgres: str, amqp: str) -> None:
    """Load dimensions, then stats for the first time, then the same keys with other numbers; print each."""
    files = Files(shape, folder)
    async with way_in(folder, postgres, amqp) as (way, engine):
        for path in files.dimensions:
            await way.load(path)
        for title, path in (("First load", files.first), ("Full replacement", files.second)):
            (await way.load(path)).show(f"{title}: {shape.rows:,} rows")
        async with engine.connect() as connection:
            found = (await connection.execute(text("SELECT version(), count(*) FROM ad_group_stat"))).one()
    sys.stdout.write(f"\n{found[1]:,} keys. {found[0]}\n")


def main() -> None:
    """Run the profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_shape(parser)
    shape = as_shape(parser.parse_args())
    with postgres_server() as server, rabbitmq_server() as amqp, database(server, EMPTY) as url:
        migrate(url)
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(profile(shape, Path(folder), url, amqp))


if __name__ == "__main__":
    main()
