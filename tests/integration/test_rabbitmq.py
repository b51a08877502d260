"""RabbitMQ, for real: what is acknowledged, what is redelivered, and what ends among the dead letters."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import aio_pika
import pytest
from msgspec.structs import replace
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api.publishing import RabbitTransport, rabbit_transport
from services.ingest.consumer.app import consuming
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.settings import ConsumerSettings
from shared import wire
from shared.messages import Batch, Kind
from shared.topology import Topology
from shared.transport import TransportUnavailableError
from tests.support.uploads import Stat, batches
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


def stats(count: int) -> list[Stat]:
    return [(ad_group, date(2026, 1, 1), 1, 10, 1, 0, 1_500_000) for ad_group in range(count)]


@asynccontextmanager
async def consumer(rabbitmq: str, topology: Topology, engine: AsyncEngine) -> AsyncIterator[None]:
    settings = ConsumerSettings(amqp_url=SecretStr(rabbitmq), queue_prefix=topology.prefix)
    applier = Applier(engine)
    async with applier.running(), consuming(settings, engine, applier):
        yield


async def depth(rabbitmq: str, queue: str) -> int:
    """Return how many messages wait in a queue; those that a consumer holds unacknowledged do not count."""
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def scalar(engine: AsyncEngine, statement: str) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(text(statement))


async def applied(engine: AsyncEngine, count: int = 1) -> bool:
    return await scalar(engine, "SELECT count(*) FROM attempt WHERE state = 'applied'") == count


async def send_raw(rabbitmq: str, queue: str, headers: dict[str, Any], body: bytes) -> None:
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        message = aio_pika.Message(body, headers=headers, content_type=wire.BATCH_TYPE)
        await channel.default_exchange.publish(message, routing_key=queue)


async def test_what_is_published_is_applied_and_acknowledged(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    async with rabbit_transport(rabbitmq, topology) as transport, consumer(rabbitmq, topology, engine):
        await transport.publish(batches(Kind.AD_GROUP_STATS, stats(20), NOW, cuts=5))
        await eventually(lambda: applied(engine))
    # Whatever had not been acknowledged would be back in the queue now that the consumer is gone.
    assert await depth(rabbitmq, topology.batches) == 0
    assert await depth(rabbitmq, topology.dead_letters) == 0
    assert await scalar(engine, "SELECT sum(cost) FROM ad_group_stat") == 30_000_000


async def test_a_redelivered_batch_changes_nothing(rabbitmq: str, topology: Topology, engine: AsyncEngine) -> None:
    sent = batches(Kind.AD_GROUP_STATS, stats(20), NOW, cuts=5)
    async with rabbit_transport(rabbitmq, topology) as transport, consumer(rabbitmq, topology, engine):
        await transport.publish([*sent[:3], *sent])
        await eventually(lambda: applied(engine))
        await transport.publish(sent)
        await eventually(lambda: _drained(rabbitmq, topology))
    assert await depth(rabbitmq, topology.batches) == 0
    assert await scalar(engine, "SELECT count(*) FROM receipt") == 5
    assert await scalar(engine, "SELECT count(*) FROM stat_entry") == 20
    assert await scalar(engine, "SELECT sum(cost) FROM campaign_day") == 30_000_000


async def _drained(rabbitmq: str, topology: Topology) -> bool:
    return await depth(rabbitmq, topology.batches) == 0


async def test_a_message_whose_consumer_vanishes_goes_to_another(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    sent = batches(Kind.AD_GROUP_STATS, stats(3), NOW)
    connection = await aio_pika.connect(rabbitmq)
    async with rabbit_transport(rabbitmq, topology) as transport:
        await transport.publish(sent)
        channel = await connection.channel()
        queue = await channel.get_queue(topology.batches)
        assert await queue.get(timeout=5)
        assert await depth(rabbitmq, topology.batches) == 0
        await connection.close()
        async with consumer(rabbitmq, topology, engine):
            await eventually(lambda: applied(engine))


async def test_two_consumers_share_the_work_and_count_nothing_twice(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    uploads = [batches(Kind.AD_GROUP_STATS, stats(40 + n), NOW.replace(minute=n), cuts=8) for n in range(6)]
    async with rabbit_transport(rabbitmq, topology) as transport:
        await asyncio.gather(*(transport.publish(upload) for upload in uploads))
        async with consumer(rabbitmq, topology, engine), consumer(rabbitmq, topology, engine):
            await eventually(lambda: applied(engine, len(uploads)))
    assert await scalar(engine, "SELECT count(*) FROM stat_entry") == sum(40 + n for n in range(6))
    assert await scalar(engine, "SELECT count(*) FROM ad_group_stat") == 45
    assert await scalar(engine, "SELECT sum(cost) FROM campaign_day") == 45 * 1_500_000


def _headers(batch: Batch, **changed: object) -> dict[str, object]:
    return {**wire.batch_headers(batch), **{name.replace("_", "-"): value for name, value in changed.items()}}


async def test_exactly_the_poison_is_dead_lettered(rabbitmq: str, topology: Topology, engine: AsyncEngine) -> None:
    good = batches(Kind.AD_GROUP_STATS, stats(4), NOW, cuts=2)
    other = batches(Kind.AD_GROUP_STATS, stats(5), NOW)[0]
    short = Batch(manifest=other.manifest, number=0, part=other.part, body=b"1\t2026-01-01\n")
    words = Batch(manifest=other.manifest, number=0, part=other.part, body=b"a\tb\tc\td\te\tf\tg\n")
    cut_off = Batch(manifest=other.manifest, number=0, part=other.part, body=other.body[:-1])
    empty = Batch(manifest=other.manifest, number=0, part=other.part, body=b"")
    nothing = Batch(manifest=other.manifest, number=0, part=other.part, body=b"\\N\t2026-01-01\t1\t1\t1\t1\t1\n")
    huge = Batch(manifest=replace(other.manifest, rows_read=2**70), number=0, part=other.part, body=other.body)
    named = Batch(manifest=replace(other.manifest, filename="a\0b"), number=0, part=other.part, body=other.body)
    async with rabbit_transport(rabbitmq, topology) as transport, consumer(rabbitmq, topology, engine):
        await transport.publish(good[:1])
        poison = [
            (_headers(other, adledger_version=99), other.body),
            (_headers(other, adledger_sha256="00"), other.body),
            (_headers(other, adledger_manifest="{}"), other.body),
            (_headers(other, adledger_batch=7), other.body),
            ({}, json.dumps({"hello": "world"}).encode()),
            *((_headers(broken), broken.body) for broken in (short, words, cut_off, empty, nothing, huge, named)),
        ]
        for headers, body in poison:
            await send_raw(rabbitmq, topology.batches, headers, body)
        await transport.publish(good[1:])
        await eventually(lambda: applied(engine))
        await eventually(lambda: _reaches(rabbitmq, topology.dead_letters, len(poison)))
    assert all(await reasons(rabbitmq, topology.dead_letters))
    assert await depth(rabbitmq, topology.batches) == 0
    assert await scalar(engine, "SELECT sum(cost) FROM ad_group_stat") == 4 * 1_500_000


async def reasons(rabbitmq: str, queue: str) -> list[str]:
    """Return why each message of a queue is there."""
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        waiting = await channel.get_queue(queue)
        letters = [await waiting.get() for _ in range(waiting.declaration_result.message_count or 0)]
        return [str(letter.headers.get(wire.REASON_HEADER, "")) for letter in letters if letter]


async def _reaches(rabbitmq: str, queue: str, count: int) -> bool:
    return await depth(rabbitmq, queue) == count


async def test_another_batch_under_a_number_already_received_is_dead_lettered(
    rabbitmq: str, topology: Topology, engine: AsyncEngine
) -> None:
    good = batches(Kind.AD_GROUP_STATS, stats(4), NOW, cuts=2)
    forged = Batch(manifest=good[0].manifest, number=0, part=good[0].part, body=good[1].body)
    async with rabbit_transport(rabbitmq, topology) as transport, consumer(rabbitmq, topology, engine):
        await transport.publish([good[0], forged])
        await eventually(lambda: _reaches(rabbitmq, topology.dead_letters, 1))
        await transport.publish(good[1:])
        await eventually(lambda: applied(engine))
    assert await scalar(engine, "SELECT sum(cost) FROM ad_group_stat") == 4 * 1_500_000


class Recording(RabbitTransport):
    """A transport that remembers when each batch was begun and confirmed."""

    def __init__(self, url: str, topology: Topology) -> None:
        super().__init__(url, topology)
        self.events: list[tuple[str, int]] = []

    async def _send(self, batch: Batch) -> None:
        self.events.append(("begun", batch.number))
        await super()._send(batch)
        self.events.append(("confirmed", batch.number))


async def test_the_last_batch_goes_out_only_after_all_others_are_confirmed(rabbitmq: str, topology: Topology) -> None:
    transport = Recording(rabbitmq, topology)
    await transport.publish(batches(Kind.AD_GROUP_STATS, stats(50), NOW, cuts=25))
    await transport.close()
    assert transport.events[-2:] == [("begun", 24), ("confirmed", 24)]
    assert set(transport.events[:-2]) >= {("confirmed", number) for number in range(24)}


async def test_without_a_broker_publishing_fails_in_bounded_time(topology: Topology) -> None:
    async with asyncio.timeout(20), rabbit_transport("amqp://guest:guest@127.0.0.1:1/", topology) as transport:
        with pytest.raises(TransportUnavailableError):
            await transport.publish(batches(Kind.AD_GROUP_STATS, stats(3), NOW, cuts=3))


async def test_a_queue_that_was_deleted_swallows_nothing(rabbitmq: str, topology: Topology) -> None:
    async with rabbit_transport(rabbitmq, topology) as transport:
        await transport.publish(batches(Kind.AD_GROUP_STATS, stats(1), NOW))
        connection = await aio_pika.connect(rabbitmq)
        async with connection, connection.channel() as channel:
            await channel.queue_delete(topology.batches)
        await transport.publish(batches(Kind.AD_GROUP_STATS, stats(2), NOW))
        assert await depth(rabbitmq, topology.batches) == 1
