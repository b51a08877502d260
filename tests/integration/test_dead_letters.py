"""Dead letters: listed with their reasons, shown, and given another chance."""

import asyncio
from datetime import UTC, date, datetime

import aio_pika
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api.publishing import rabbit_transport
from services.ingest.consumer import handler
from services.ingest.consumer.app import consuming
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.letters import DeadLetters, Letter
from services.ingest.consumer.settings import ConsumerSettings
from shared.messages import Batch, Kind
from shared.topology import Topology
from shared.wire import REASON_HEADER
from tests.support.running import command
from tests.support.uploads import batches
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

LOOKS_OF_RABBITMQ_4 = 20
"""How often RabbitMQ 4 hands a message out again; after that it is gone."""
NOW = datetime(2026, 1, 31, tzinfo=UTC)
ROW = (1, date(2026, 1, 1), 1, 10, 1, 0, 1_500_000)


async def bury(rabbitmq: str, topology: Topology, engine: AsyncEngine, poison: Batch) -> None:
    """Let a consumer find a batch that it cannot take."""
    settings = ConsumerSettings(amqp_url=SecretStr(rabbitmq), queue_prefix=topology.prefix)
    letters = DeadLetters(rabbitmq, topology)
    async with rabbit_transport(rabbitmq, topology) as transport, consuming(settings, engine, Applier(engine)):
        await transport.publish([poison])
        await eventually(lambda: _some(letters))
    await letters.close()


async def _all(letters: DeadLetters) -> list[Letter]:
    """Return the letters, once those that were looked at before are back in their places."""
    async with asyncio.timeout(15):
        while not (found := await letters.read()):
            await asyncio.sleep(0.05)
    return found


async def _some(letters: DeadLetters) -> bool:
    return bool(await letters.read())


async def test_a_letter_is_listed_with_its_reason_and_stays(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    good = batches(Kind.AD_GROUP_STATS, [ROW], NOW)[0]
    await bury(rabbitmq, topology, engine, Batch(manifest=good.manifest, number=0, part=good.part, body=b"x\n"))
    letters = DeadLetters(rabbitmq, topology)
    first = await _all(letters)
    second = await _all(letters)
    await letters.close()
    assert first == second
    assert [letter.number for letter in first] == [1]
    assert "cannot be copied" in first[0].reason
    assert first[0].body == b"x\n"


async def test_a_letter_that_is_replayed_goes_back_to_its_queue_and_is_handled(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    # Batch 0 was received with other content: a conflict, until that is undone.
    good, other = batches(Kind.AD_GROUP_STATS, [ROW, (2, *ROW[1:])], NOW, cuts=2)
    await handler.take(engine, Batch(manifest=good.manifest, number=0, part=good.part, body=other.body))
    await bury(rabbitmq, topology, engine, good)
    async with engine.begin() as connection:
        await connection.execute(text("TRUNCATE upload, attempt, receipt, stat_entry"))
    letters = DeadLetters(rabbitmq, topology)
    assert await letters.replay() == 1
    settings = ConsumerSettings(amqp_url=SecretStr(rabbitmq), queue_prefix=topology.prefix)
    async with rabbit_transport(rabbitmq, topology) as transport, consuming(settings, engine, Applier(engine)):
        await transport.publish([other])
        await eventually(lambda: _staged(engine, 2))
    assert await letters.read() == []
    await letters.close()


async def test_letters_stay_in_their_order_however_often_they_are_looked_at(rabbitmq: str, topology: Topology) -> None:
    letters = DeadLetters(rabbitmq, topology)
    assert await letters.read() == []
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        for n in range(3):
            message = aio_pika.Message(b"%d" % n, headers={REASON_HEADER: f"reason {n}"}, content_type="text/plain")
            await channel.default_exchange.publish(message, routing_key=topology.dead_letters)
        queue = await channel.declare_queue(topology.dead_letters, passive=True)
        seen = [await _three(letters, queue) for _ in range(2 * LOOKS_OF_RABBITMQ_4)]
        await eventually(lambda: _was_handed_out_seldom(queue))
    await letters.close()
    told = [(letter.number, letter.body, letter.reason, letter.content_type) for letter in seen[0]]
    assert told == [(n + 1, b"%d" % n, f"reason {n}", "text/plain") for n in range(3)]
    assert all(each == seen[0] for each in seen)


async def _three(letters: DeadLetters, queue: aio_pika.abc.AbstractQueue) -> list[Letter]:
    """Return the three letters, once all of them are back in their places."""
    await eventually(lambda: _holds_three(queue))
    return await letters.read()


async def _holds_three(queue: aio_pika.abc.AbstractQueue) -> bool:
    return (await queue.declare()).message_count == 3


async def _was_handed_out_seldom(queue: aio_pika.abc.AbstractQueue) -> bool:
    """Tell, once the first letter is back in its place, whether every broker would hand it out once more."""
    message = await queue.get(fail=False)
    if message is None:
        return False
    await message.reject(requeue=True)
    assert int(str(message.headers.get("x-delivery-count", 0))) < LOOKS_OF_RABBITMQ_4
    return True


async def _staged(engine: AsyncEngine, count: int) -> bool:
    async with engine.connect() as connection:
        return await connection.scalar(text("SELECT count(*) FROM stat_entry")) == count


async def test_the_command_line_lists_shows_and_replays(rabbitmq: str, topology: Topology, engine: AsyncEngine) -> None:
    good = batches(Kind.AD_GROUP_STATS, [ROW], NOW)[0]
    await bury(rabbitmq, topology, engine, Batch(manifest=good.manifest, number=0, part=good.part, body=b"x\n"))
    settings = {"ADLEDGER_AMQP_URL": rabbitmq, "ADLEDGER_QUEUE_PREFIX": topology.prefix}
    listed = command("dead-letters", settings=settings)
    shown = command("dead-letters", "--show", "1", settings=settings)
    missing = command("dead-letters", "--show", "9", settings=settings)
    replayed = command("dead-letters", "--replay", "1", settings=settings)
    assert (listed.returncode, shown.returncode, missing.returncode, replayed.returncode) == (0, 0, 2, 0)
    assert "cannot be copied" in " ".join(listed.stdout.split())
    assert "adledger-manifest" in shown.stdout
    assert replayed.stdout == "Sent 1 once more.\n"


def test_without_a_broker_the_command_line_says_so() -> None:
    away = command("dead-letters", settings={"ADLEDGER_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/"})
    unset = command("dead-letters", settings={})
    assert (away.returncode, unset.returncode) == (3, 2)
    assert "Traceback" not in away.stderr + unset.stderr
