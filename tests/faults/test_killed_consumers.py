"""Consumers killed with -9 at random moments under load: nothing is lost, doubled, or buried.

Seeded; bounded by the number of uploads. The oracle sums the accepted rows as they were generated.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

import aio_pika
import asyncpg
import httpx

from shared.topology import Topology
from tests.support.running import free_port, running

SEED = int(os.environ.get("SEED", "7"))
UPLOADS = 80
ROWS = 3000
KILLS = 12
CONSUMERS = 2
DAYS = [f"2026-01-{day:02}" for day in range(1, 29)]


def upload(chance: random.Random, number: int) -> tuple[bytes, dict[tuple[str, int], int]]:
    """Return a file whose keys no other upload has, and the cost of each key in micros."""
    keys = {(chance.choice(DAYS), number * ROWS + row): chance.randrange(10**9) for row in range(ROWS)}
    lines = [f"{day},{group},MOBILE,1,1,0,{cost // 10**6}.{cost % 10**6:06}" for (day, group), cost in keys.items()]
    content = "\n".join(["date,ad_group_id,device,impressions,clicks,conversions,cost", *lines, ""])
    return content.encode(), keys


class Slaughter(Thread):
    """Keeps consumers running, and kills one of them every now and then."""

    def __init__(self, environment: dict[str, str], chance: random.Random) -> None:
        super().__init__()
        self._environment = environment
        self._chance = chance
        self._over = Event()
        self.kills = 0
        self._consumers = [self._start() for _ in range(CONSUMERS)]

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "services.cli", "consume"]
        environment = self._environment | {"ADLEDGER_PORT": str(free_port())}
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    def run(self) -> None:
        # A consumer needs about a second to start: most are killed when they have begun to work.
        while self.kills < KILLS and not self._over.wait(self._chance.uniform(0.5, 1.6)):
            victim = self._chance.randrange(CONSUMERS)
            self._consumers[victim].send_signal(signal.SIGKILL)
            self._consumers[victim].wait()
            self._consumers[victim] = self._start()
            self.kills += 1

    def stop_killing(self) -> None:
        self._over.set()
        self.join()

    def end(self) -> None:
        self.stop_killing()
        for consumer in self._consumers:
            consumer.terminate()
        for consumer in self._consumers:
            consumer.wait(40)


@contextmanager
def slaughter(environment: dict[str, str], chance: random.Random) -> Iterator[Slaughter]:
    killer = Slaughter(environment, chance)
    killer.start()
    try:
        yield killer
    finally:
        killer.end()


def send(http: httpx.Client, content: bytes) -> None:
    """Send a file until it is accepted, as a client must."""
    for _ in range(20):
        answer = http.post("/uploads", content=content)
        if answer.status_code == 202:
            return
        assert answer.status_code == 503, answer.text
        time.sleep(0.5)
    raise AssertionError("never accepted")


def wait_until_applied(http: httpx.Client, count: int) -> None:
    end = time.monotonic() + 60
    states: list[str] = []
    while time.monotonic() < end:
        states = [each["state"] for each in http.get("/uploads", params={"limit": 1000}).json()]
        if states.count("applied") == count:
            return
        time.sleep(0.2)
    raise AssertionError(f"60 s after the last kill: {dict.fromkeys(states)}")


async def stored(url: str) -> tuple[dict[tuple[str, int], int], int, int]:
    """Return the cost of each key, the sum of the rollup, and how many receipts are missing or too many."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT date::text, ad_group_id, cost FROM ad_group_stat")
        rollup = await connection.fetchval("SELECT sum(cost) FROM campaign_day")
        receipts = await connection.fetchval(
            """SELECT count(*) FROM attempt a
               WHERE batches <> (SELECT count(*) FROM receipt r WHERE r.attempt_id = a.id)""",
        )
    finally:
        await connection.close()
    return {(row["date"], row["ad_group_id"]): row["cost"] for row in rows}, int(rollup), receipts


async def buried(rabbitmq: str, topology: Topology) -> int:
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        queue = await channel.get_queue(topology.dead_letters)
        return queue.declaration_result.message_count or 0


def test_killed_consumers_lose_and_double_nothing(
    database_url: str, rabbitmq: str, topology: Topology, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    settings = {
        "ADLEDGER_DATABASE_URL": database_url,
        "ADLEDGER_AMQP_URL": rabbitmq,
        "ADLEDGER_QUEUE_PREFIX": topology.prefix,
    }
    expected: dict[tuple[str, int], int] = {}
    with ExitStack() as stack:
        query = stack.enter_context(running(tmp_path, "serve", "query", settings=settings))
        ingest = stack.enter_context(running(tmp_path, "serve", "ingest", settings=settings))
        writes, reads = stack.enter_context(ingest.http()), stack.enter_context(query.http())
        killer = stack.enter_context(slaughter(os.environ | settings, chance))
        for number in range(UPLOADS):
            content, keys = upload(chance, number)
            send(writes, content)
            expected |= keys
        killer.join(60)
        wait_until_applied(reads, UPLOADS)
        values, rollup, wrong_receipts = asyncio.run(stored(database_url))
        assert asyncio.run(buried(rabbitmq, topology)) == 0
    assert killer.kills == KILLS
    assert values == expected
    assert rollup == sum(expected.values())
    assert wrong_receipts == 0
