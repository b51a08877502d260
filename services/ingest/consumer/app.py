"""The consumer's side of RabbitMQ: where a message is acknowledged, answered, handed back or given up."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from faststream import AckPolicy
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from faststream.rabbit.schemas.queue import QuorumQueueArgs
from sqlalchemy.ext.asyncio import AsyncEngine
from yarl import URL

from services.ingest.consumer import commands, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.settings import ConsumerSettings
from shared import wire
from shared.messages import MalformedMessageError
from shared.topology import Topology

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10
RETRY_SECONDS = 1.0
STOP_SECONDS = 20.0
CONNECT_SECONDS = 10


def create_broker(settings: ConsumerSettings, engine: AsyncEngine, applier: Applier) -> RabbitBroker:
    """Return the broker with its two subscriptions: batches, and commands."""
    topology = Topology(settings.queue_prefix)
    broker = RabbitBroker(
        str(URL(settings.amqp_url.get_secret_value()).update_query(heartbeat=HEARTBEAT_SECONDS)),
        timeout=CONNECT_SECONDS,
        graceful_timeout=STOP_SECONDS,
        logger=None,
    )

    @broker.subscriber(
        _queue(topology.batches, topology),
        channel=Channel(prefetch_count=settings.prefetch),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )
    async def on_batch(body: bytes, message: RabbitMessage) -> None:
        async def take() -> None:
            await handler.take(engine, wire.read_batch(message.headers, body))
            applier.wake()

        await _settle(message, take)

    @broker.subscriber(
        _queue(topology.commands, topology),
        channel=Channel(prefetch_count=1),
        ack_policy=AckPolicy.MANUAL,
        no_reply=True,
    )
    async def on_command(body: bytes, message: RabbitMessage) -> None:
        async def obey() -> None:
            answer = await commands.obey(engine, applier, wire.read_command(message.headers, body))
            if message.reply_to:
                await broker.publish(
                    wire.write_reply(answer),
                    queue=message.reply_to,
                    correlation_id=message.correlation_id,
                    mandatory=False,
                )

        await _settle(message, obey)

    return broker


async def _settle(message: RabbitMessage, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and end the message's stay: acknowledged, dead-lettered if it is poison, else handed back."""
    try:
        # In a task of its own: the channel's task is cancelled when the channel dies, perhaps amid a commit.
        await asyncio.shield(asyncio.ensure_future(work()))
    except MalformedMessageError as error:
        logger.warning("Dead-lettered a message: %s", error)
        await message.reject(requeue=False)
    except Exception:
        logger.exception("A message could not be handled now; handing it back.")
        await asyncio.sleep(RETRY_SECONDS)
        await message.reject(requeue=True)
    else:
        await message.ack()


def _queue(name: str, topology: Topology) -> RabbitQueue:
    # FastStream adds the queue's type itself.
    arguments = {key: value for key, value in topology.work_arguments.items() if key != "x-queue-type"}
    return RabbitQueue(name, QueueType.QUORUM, arguments=cast("QuorumQueueArgs", arguments))


@asynccontextmanager
async def consuming(settings: ConsumerSettings, engine: AsyncEngine, applier: Applier) -> AsyncIterator[RabbitBroker]:
    """Consume until the end of the context, and then finish what is under way."""
    broker = create_broker(settings, engine, applier)
    topology = Topology(settings.queue_prefix)
    await broker.connect()
    await broker.declare_queue(RabbitQueue(topology.dead_letters, QueueType.QUORUM))
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
