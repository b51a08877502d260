"""The consumer's side of RabbitMQ: what is subscribed to, and what a message asks for.

Where a message is acknowledged stands in `settling`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import aio_pika
from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from faststream.rabbit.schemas.queue import QuorumQueueArgs
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from services.ingest.consumer import commands, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.settings import ConsumerSettings
from services.ingest.consumer.settling import Settler
from services.ingest.consumer.watchdog import Watchdog
from shared import failpoints, wire
from shared.confirmed import FAILURES, HEARTBEAT_SECONDS, ConfirmedPublisher, speaking
from shared.topology import Topology

STOP_SECONDS = 20.0
CONNECT_SECONDS = 10
SUBSCRIBE_SECONDS = 30.0
COMMAND_SECONDS = 20 * 60.0
"""A command may find a whole backlog to apply before its effect can be read."""


@asynccontextmanager
async def consuming(settings: ConsumerSettings, engine: AsyncEngine, applier: Applier) -> AsyncIterator[Watchdog]:
    """Consume until the end of the context, and then finish what is under way; yields what tells that it goes on."""
    url, topology = settings.amqp_url.get_secret_value(), Topology(settings.queue_prefix)
    publisher = ConfirmedPublisher(url, topology)
    broker = _create_broker(url)
    watchdog = Watchdog(publisher, topology)
    try:
        await publisher.channel()
        _subscribe(broker, settings, _Handlers(engine, applier, publisher, topology, watchdog))
        async with asyncio.timeout(SUBSCRIBE_SECONDS):
            with speaking():
                await broker.start()
        yield watchdog
    finally:
        with contextlib.suppress(*FAILURES), speaking():
            await broker.stop()
        await publisher.close()


def _create_broker(url: str) -> RabbitBroker:
    with_heartbeat = URL(url).update_query(heartbeat=HEARTBEAT_SECONDS)
    return RabbitBroker(
        str(with_heartbeat),
        timeout=CONNECT_SECONDS,
        reconnect_interval=1.0,
        graceful_timeout=STOP_SECONDS,
        logger=None,
    )


class _Handlers:
    """What is done with each kind of message."""

    def __init__(
        self,
        engine: AsyncEngine,
        applier: Applier,
        publisher: ConfirmedPublisher,
        topology: Topology,
        watchdog: Watchdog,
    ) -> None:
        self._engine = engine
        self._applier = applier
        self._publisher = publisher
        self._settler = Settler(publisher, topology)
        self._watchdog = watchdog

    async def on_batch(self, body: bytes, message: RabbitMessage) -> None:
        async def take() -> None:
            await failpoints.reach("delivered")
            if await handler.take(self._engine, wire.read_batch(message.headers, body)):
                self._applier.wake()
            await failpoints.reach("committed")

        with self._watchdog.busy():
            await self._settler.settle(message, take)

    async def on_command(self, body: bytes, message: RabbitMessage) -> None:
        async def obey() -> None:
            answer = await commands.obey(self._engine, self._applier, wire.read_command(message.headers, body))
            if message.reply_to:
                reply = aio_pika.Message(wire.write_answer(answer), correlation_id=message.correlation_id)
                await self._publisher.answer(reply, message.reply_to)

        with self._watchdog.busy():
            await self._settler.settle(message, obey, COMMAND_SECONDS)


def _subscribe(broker: RabbitBroker, settings: ConsumerSettings, handlers: _Handlers) -> None:
    topology = Topology(settings.queue_prefix)
    subscriptions = (
        (topology.batches, settings.prefetch, handlers.on_batch),
        (topology.commands, 1, handlers.on_command),
    )
    for name, prefetch, handle in subscriptions:
        broker.subscriber(
            _queue(name, topology),
            channel=Channel(prefetch_count=prefetch),
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
        )(handle)


def _queue(name: str, topology: Topology) -> RabbitQueue:
    # FastStream adds the queue's type itself.
    arguments = {key: value for key, value in topology.work_arguments.items() if key != "x-queue-type"}
    return RabbitQueue(name, QueueType.QUORUM, arguments=cast("QuorumQueueArgs", arguments))
