"""Faults of RabbitMQ: killed, stopped, full, alarmed, robbed of queues and of permissions."""

import asyncio
import signal
import time

import aio_pika

from tests.faults.checker import depths
from tests.faults.scenario import Act, expect
from tests.faults.stage import CONSUMERS, Stage

ALARM_SECONDS = 6.0


def brokers_killed(times: int, large: int = 0) -> Act:
    """The broker is killed while batches are published and consumed, and started again."""

    async def act(stage: Stage) -> None:
        for _ in range(times):
            stage.large = large
            await asyncio.sleep(stage.chance.uniform(0.1, 2))
            await restart(stage)

    return act


async def restart(stage: Stage) -> None:
    """Kill the broker and start it again."""
    stage.history.note("kill", process="broker")
    await asyncio.to_thread(stage.broker.signal, signal.SIGKILL)
    await asyncio.sleep(stage.chance.uniform(0, 1))
    stage.broker.launch()
    await stage.broker.answers()


async def deep_broker_killed(stage: Stage) -> None:
    """The broker is killed while no consumer is there and the queue grows; both come back."""
    await stage.fleet.stop(*CONSUMERS)
    await asyncio.gather(*(stage.load.probe() for _ in range(50)))
    await restart(stage)
    for name in CONSUMERS:
        stage.fleet.start(name)
    await stage.fleet.ready(*CONSUMERS)


async def broker_stopped(stage: Stage) -> None:
    """The broker stands still for longer than a publish waits, and goes on."""
    await asyncio.sleep(stage.chance.uniform(0.1, 1))
    stage.broker.signal(signal.SIGSTOP)
    await asyncio.sleep(13 if stage.patience == 1 else 40)
    stage.broker.signal(signal.SIGCONT)


async def application_stopped(stage: Stage) -> None:
    """The broker's application stops and starts, as in an upgrade."""
    await stage.broker.control("stop_app")
    await stage.broker.control("start_app")


async def connections_closed(stage: Stage) -> None:
    """The broker closes every connection."""
    await asyncio.sleep(stage.chance.uniform(0, 1))
    await stage.broker.control("close_all_connections", "for a test")


async def memory_alarm(stage: Stage) -> None:
    """The broker is out of memory: it blocks those who publish, and those who consume go on."""
    await _alarmed(stage, ("set_vm_memory_high_watermark", "0.000001"), ("set_vm_memory_high_watermark", "0.6"))


async def disk_alarm(stage: Stage) -> None:
    """The broker is out of disk: likewise."""
    await _alarmed(stage, ("set_disk_free_limit", "8000GB"), ("set_disk_free_limit", "50MB"))


async def _alarmed(stage: Stage, on: tuple[str, str], off: tuple[str, str]) -> None:
    """Let the queue have something to consume when the alarm goes off, and see that it is consumed."""
    for name in CONSUMERS:
        stage.fleet.signal(name, signal.SIGSTOP)
    await stage.broker.control(*on)
    for name in CONSUMERS:
        stage.fleet.signal(name, signal.SIGCONT)
    try:
        await asyncio.sleep(ALARM_SECONDS)
        expect(stage, await _drains(stage, 15), "that consumers drain the queue while publishing is blocked")
    finally:
        await stage.broker.control(*off)


async def _drains(stage: Stage, seconds: float) -> bool:
    """Tell whether the queue of batches becomes empty; asking is publishing nothing, so no alarm hinders it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (await depths(stage.broker.url, stage.topology))[stage.topology.batches] == 0:
            return True
        await asyncio.sleep(0.5)
    return False


async def queue_full(stage: Stage) -> None:
    """The queue of batches may hold three messages, and nobody takes them for a while."""
    pattern = f"^{stage.topology.batches}$"
    await stage.broker.control("set_policy", "full", pattern, '{"max-length":3}', "--apply-to", "queues")
    try:
        await stage.fleet.stop(*CONSUMERS)
        await asyncio.sleep(4)
        for name in CONSUMERS:
            stage.fleet.start(name)
        await stage.fleet.ready(*CONSUMERS)
        await asyncio.sleep(2)
    finally:
        await stage.broker.control("clear_policy", "full")


async def queue_deleted(stage: Stage) -> None:
    """The queue of batches is deleted, three times, each time when it is empty and while others want to publish."""
    for _ in range(3):
        for way in stage.network.to("broker", "ingest"):
            way.hold(down=False)
        await stage.settled()
        connection = await aio_pika.connect(stage.broker.url)
        async with connection, connection.channel() as channel:
            await channel.queue_delete(stage.topology.batches)
        stage.network.heal()
        await asyncio.sleep(stage.chance.uniform(0.5, 1.5))


async def permissions_taken(stage: Stage) -> None:
    """The broker lets our user in, but do nothing; after a while it may again."""
    await stage.broker.control("clear_permissions", "adledger")
    for way in stage.network.to("broker", "ingest"):
        way.reset()
    await asyncio.sleep(2)
    await stage.broker.control("set_permissions", "adledger", ".*", ".*", ".*")


async def silent_broker(stage: Stage) -> None:
    """The broker takes connections and says nothing, to those that are open and to new ones."""
    ways = stage.network.to("broker")
    for way in ways:
        way.reset()
        way.hold()
    await asyncio.sleep(12)
    for way in ways:
        way.heal()


async def both_restarted(stage: Stage) -> None:
    """The database is restarted while the broker is."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(restart(stage))
        tasks.create_task(asyncio.to_thread(stage.postgres.stop_at_once))
    await asyncio.to_thread(stage.postgres.start_again)
