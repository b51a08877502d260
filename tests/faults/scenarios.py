"""The faults: each acts on a stage while its clients are at work, and returns once the cause is gone."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import aio_pika

from shared import wire
from shared.messages import Kind, Mode
from tests.faults.files import FIRST_DAY
from tests.faults.stage import CONSUMERS, Stage
from tests.support.uploads import batches

REACH_SECONDS = 40.0
STOP_SECONDS = 20.0
"""Longer than a transaction may be idle (`shared.database.WRITER_TIMEOUTS`)."""

Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A fault and its moment, how to cause it, how often, and how many clients begin with a large file."""

    fault: str
    moment: str
    act: Act
    runs: int = 1
    large: int = 0


def consumer_killed_at(point: str, latest: int) -> Act:
    """One of two consumers kills itself at a failpoint, and is started again."""

    async def act(stage: Stage) -> None:
        name = CONSUMERS[0]
        await _arm(stage, name, f"{point}:{stage.chance.randint(1, latest)}:kill")
        await _expect(stage, await stage.fleet.dies(name, REACH_SECONDS), point)
        stage.fleet.kill(name)
        stage.fleet.start(name)

    return act


def consumer_fails_at(point: str) -> Act:
    """One of two consumers raises something that nobody knows, once."""

    async def act(stage: Stage) -> None:
        name = CONSUMERS[0]
        await _arm(stage, name, f"{point}:{stage.chance.randint(1, 3)}:raise")
        await _expect(stage, await stage.fleet.reaches(name, f"Failpoint {point}: raise", REACH_SECONDS), point)

    return act


def ingest_killed_at(point: str, latest: int) -> Act:
    """The ingest service kills itself at a failpoint, and is started again; its clients repeat their requests."""

    async def act(stage: Stage) -> None:
        await _arm(stage, "ingest", f"{point}:{stage.chance.randint(1, latest)}:kill")
        await _expect(stage, await stage.fleet.dies("ingest", REACH_SECONDS), point)
        stage.fleet.kill("ingest")
        stage.fleet.start("ingest")

    return act


async def _arm(stage: Stage, name: str, failpoint: str) -> None:
    stage.history.note("armed", process=name, failpoint=failpoint)
    await asyncio.to_thread(stage.fleet.stop, name)
    stage.fleet.start(name, failpoint)


async def _expect(stage: Stage, happened: object, point: str) -> None:
    if not happened:
        stage.load.violations.append(f"nobody came to {point}, so nothing was tested")


def consumers_killed(times: int) -> Act:
    """Consumers are killed at random moments, and started again at once."""

    async def act(stage: Stage) -> None:
        for _ in range(times):
            await asyncio.sleep(stage.chance.uniform(0.2, 3))
            name = stage.chance.choice(CONSUMERS)
            stage.history.note("kill", process=name)
            stage.fleet.kill(name)
            stage.fleet.start(name)

    return act


async def consumer_stopped(stage: Stage) -> None:
    """A consumer that holds the appliers' lock stands still; the other takes over before it goes on."""
    name = CONSUMERS[0]
    await _arm(stage, name, "folded:1:sleep")
    await _expect(stage, await stage.fleet.reaches(name, "Failpoint folded: sleep", REACH_SECONDS), "folded")
    stage.fleet.signal(name, signal.SIGSTOP)
    stage.history.note("stopped", process=name)
    await asyncio.sleep(STOP_SECONDS)
    seconds = await stage.recovers()
    stage.history.note("others went on", seconds=seconds)
    stage.fleet.signal(name, signal.SIGCONT)


async def broker_killed(stage: Stage) -> None:
    """The broker is killed while batches are published and consumed, and started again."""
    await asyncio.sleep(stage.chance.uniform(0.1, 2))
    await _restart_broker(stage)


async def _restart_broker(stage: Stage) -> None:
    stage.history.note("kill", process="broker")
    await asyncio.to_thread(stage.broker.signal, signal.SIGKILL)
    await asyncio.sleep(stage.chance.uniform(0, 2))
    stage.broker.launch()
    await stage.broker.answers()


async def deep_broker_killed(stage: Stage) -> None:
    """The broker is killed while no consumer is there and the queue grows; both come back."""
    await asyncio.to_thread(stage.fleet.stop, *CONSUMERS)
    sending = [stage.load.probe() for _ in range(60)]
    await asyncio.gather(*sending)
    await _restart_broker(stage)
    for name in CONSUMERS:
        stage.fleet.start(name)


async def broker_stopped(stage: Stage) -> None:
    """The broker stands still for longer than a publish waits, and goes on."""
    await asyncio.sleep(stage.chance.uniform(0.1, 1))
    stage.broker.signal(signal.SIGSTOP)
    await asyncio.sleep(14)
    stage.broker.signal(signal.SIGCONT)


async def database_stopped(stage: Stage) -> None:
    """The database stops at once, as in a power cut, and comes back."""
    await asyncio.sleep(stage.chance.uniform(0.1, 2))
    stage.history.note("stop", process="database")
    await asyncio.to_thread(stage.postgres.stop_at_once)
    await asyncio.sleep(stage.chance.uniform(0, 4))
    await asyncio.to_thread(stage.postgres.start_again)


async def backends_ended(stage: Stage) -> None:
    """Every connection to the database is ended, three times."""
    for _ in range(3):
        await asyncio.sleep(stage.chance.uniform(0.1, 1))
        stage.history.note("ended", backends=await stage.postgres.end_backends())


async def poisoned(stage: Stage) -> None:
    """Messages that nobody can take come among the healthy ones."""
    rows = [(n, FIRST_DAY, 1, 1, 1, 1, 1) for n in range(1, 50)]
    good = batches(Kind.AD_GROUP_STATS, rows, datetime.now(UTC), mode=Mode.UPSERT)[0]
    headers = wire.batch_headers(good)
    letters = [
        ({**headers, wire.VERSION_HEADER: 99}, good.body),
        ({**headers, wire.SHA256_HEADER: "00"}, good.body),
        ({**headers, wire.MANIFEST_HEADER: "{}"}, good.body),
        ({**headers, wire.NUMBER_HEADER: 7}, good.body),
        ({}, b'{"hello": "world"}'),
        ({}, b""),
        (headers, good.body[:-1]),
    ]
    connection = await aio_pika.connect(stage.broker.url)
    async with connection, connection.channel() as channel:
        for told, body in letters:
            await asyncio.sleep(stage.chance.uniform(0, 0.3))
            message = aio_pika.Message(body, headers=dict(told), content_type=wire.BATCH_TYPE)
            await channel.default_exchange.publish(message, routing_key=stage.topology.batches)
            stage.poison += 1
