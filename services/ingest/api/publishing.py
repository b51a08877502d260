"""The RabbitMQ transport: persistent, mandatory, confirmed, within a bounded window, and never waiting for ever.

A timeout or a lost connection means *outcome unknown*: the same batch is sent again, which the consumer's
receipts make harmless.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError
from pamqp.commands import Basic

from services.ingest.api.replies import Replies
from shared import wire
from shared.messages import Answer, Batch, Command
from shared.topology import Topology
from shared.transport import TransportUnavailableError

HEARTBEAT_SECONDS = 10
CONFIRM_SECONDS = 5.0
TRIES = 3
PAUSE_SECONDS = 0.5
WINDOW = 8
"""How many batches of an upload are under way at once: about 4 MiB."""

_FAILURES = (AMQPError, OSError, TimeoutError, asyncio.InvalidStateError, RuntimeError)


class RabbitTransport:
    """A transport over one publishing connection, opened when needed and replaced when it fails."""

    applies_at_once = False

    def __init__(self, url: str, topology: Topology) -> None:
        self._url = url
        self._topology = topology
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()
        self._replies = Replies(url)

    async def publish(self, batches: Iterable[Batch]) -> None:
        """Send all batches of an attempt; raises `TransportUnavailableError` unless every one is confirmed."""
        window = asyncio.Semaphore(WINDOW)
        held: Batch | None = None
        async with _failing_together() as sending:
            for batch in batches:
                if held is not None:
                    await window.acquire()
                    sending.create_task(self._send_batch(held)).add_done_callback(lambda _: window.release())
                held = batch
        if held is not None:
            await self._send_batch(held)

    async def ask(self, command: Command) -> Answer:
        """Send the command and wait for its answer; raises `TransportUnavailableError` when it cannot be sent."""
        async with self._replies.expect() as (address, correlation_id, answer):
            message = aio_pika.Message(
                wire.write_command(command),
                headers=dict(wire.command_headers()),
                content_type=wire.COMMAND_TYPE,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                reply_to=address,
                correlation_id=correlation_id,
            )
            await self._send(message, self._topology.commands)
            return wire.read_reply(await answer)

    async def is_ready(self) -> bool:
        """Tell whether the broker takes messages: a channel is open and the queues are declared."""
        await self._open()
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._replies.close()
        await self._drop(self._channel)

    async def _send_batch(self, batch: Batch) -> None:
        message = aio_pika.Message(
            batch.body,
            headers=dict(wire.batch_headers(batch)),
            content_type=wire.BATCH_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._send(message, self._topology.batches)

    async def _send(self, message: aio_pika.Message, queue: str) -> None:
        """Send a message until it is confirmed; raises `TransportUnavailableError` after a few tries."""
        for _ in range(TRIES):
            channel = None
            try:
                async with asyncio.timeout(CONFIRM_SECONDS):
                    channel = await self._open()
                    confirmation = await channel.default_exchange.publish(message, routing_key=queue, mandatory=True)
                if isinstance(confirmation, Basic.Ack):
                    return
            except _FAILURES as error:
                failure: Exception = error
                await self._drop(channel)
            await asyncio.sleep(PAUSE_SECONDS)
        raise TransportUnavailableError("The queue does not confirm.") from failure

    async def _open(self) -> AbstractChannel:
        """Return the publishing channel; the first one on a connection declares the queues."""
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self._drop(self._channel)
                self._connection = await aio_pika.connect(
                    self._url, heartbeat=HEARTBEAT_SECONDS, timeout=CONFIRM_SECONDS
                )
                channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
                for name, arguments in self._topology.queues().items():
                    await channel.declare_queue(name, durable=True, arguments=dict(arguments))
                self._channel = channel
            return self._channel

    async def _drop(self, channel: AbstractChannel | None) -> None:
        """Close the connection of a channel that failed, unless another task has replaced it already."""
        if channel is not self._channel or self._connection is None:
            return
        connection, self._connection, self._channel = self._connection, None, None
        with contextlib.suppress(*_FAILURES):
            async with asyncio.timeout(1):
                await connection.close()


@asynccontextmanager
async def _failing_together() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks of which the first failure ends all, and is raised as itself instead of in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* TransportUnavailableError as group:
        raise group.exceptions[0] from group


@asynccontextmanager
async def rabbit_transport(url: str, topology: Topology) -> AsyncIterator[RabbitTransport]:
    """Yield a transport, and close its connections at the end."""
    transport = RabbitTransport(url, topology)
    try:
        yield transport
    finally:
        await transport.close()
