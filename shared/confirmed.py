"""Publishing to RabbitMQ so that a return means arrival: persistent, mandatory, confirmed, and never for ever.

A timeout or a lost connection means *outcome unknown*: the same message is sent again, which the consumer's
receipts make harmless. A queue that is full refuses (a nack), and is asked again a little later.
"""

import asyncio
import contextlib
from collections.abc import Iterator

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import AMQPError
from pamqp.commands import Basic

from shared.topology import Topology
from shared.transport import TransportUnavailableError

HEARTBEAT_SECONDS = 10
CONFIRM_SECONDS = 4.0
BUDGET_SECONDS = 10.0
PAUSE_SECONDS = 0.25

# RuntimeError and InvalidStateError are what the client raises on channels that died under it.
FAILURES = (AMQPError, OSError, TimeoutError, asyncio.InvalidStateError, RuntimeError)


@contextlib.contextmanager
def speaking() -> Iterator[None]:
    """Turn a cancellation that nobody asked for into a lost connection, around whatever waits for the broker.

    The client's own tasks are cancelled when a connection dies, and it lets those cancellations out to whoever waits
    for them. Taken for our own they would end a process, or make a task group believe that a publish was given up on
    purpose.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ConnectionError("The connection broke off.") from error


class ConfirmedPublisher:
    """One publishing connection, opened when needed and replaced when it fails; safe for concurrent use."""

    def __init__(self, url: str, topology: Topology) -> None:
        self._url = url
        self._topology = topology
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def send(self, message: aio_pika.Message, queue: str) -> None:
        """Send a message until it is confirmed; raises `TransportUnavailableError` when the time for that is up."""
        end = asyncio.get_running_loop().time() + BUDGET_SECONDS
        pause = PAUSE_SECONDS
        while not await self._try(message, queue):
            if asyncio.get_running_loop().time() + pause > end:
                raise TransportUnavailableError("The queue does not confirm.")
            await asyncio.sleep(pause)
            pause *= 2

    async def answer(self, message: aio_pika.Message, queue: str) -> None:
        """Send an answer once, to whoever still waits for it."""
        channel = None
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                channel = await self.channel()
                with speaking():
                    await channel.default_exchange.publish(message, routing_key=queue, mandatory=False)
        except FAILURES:
            await self._drop(channel)

    async def channel(self) -> AbstractChannel:
        """Return the open channel; the first one on a connection declares the queues.

        Raises one of `FAILURES`, `TimeoutError` where a broker takes connections and says nothing.
        """
        async with asyncio.timeout(CONFIRM_SECONDS), self._opening:
            with speaking():
                return await self._opened()

    async def _opened(self) -> AbstractChannel:
        if self._channel is None or self._channel.is_closed:
            await self._drop(self._channel)
            self._connection = await aio_pika.connect(self._url, heartbeat=HEARTBEAT_SECONDS)
            self._channel = await self._prepare(self._connection)
        return self._channel

    async def close(self) -> None:
        """Close the connection."""
        await self._drop(self._channel)

    async def _try(self, message: aio_pika.Message, queue: str) -> bool:
        """Send once; false when it was refused or the outcome is unknown."""
        channel = None
        try:
            async with asyncio.timeout(CONFIRM_SECONDS):
                channel = await self.channel()
                with speaking():
                    confirmation = await channel.default_exchange.publish(message, routing_key=queue, mandatory=True)
        except aio_pika.exceptions.DeliveryError as error:
            # A nack says that the queue is full; a return, that it is gone: a new connection declares it again.
            if not isinstance(error.frame, Basic.Nack):
                await self._drop(channel)
            return False
        except FAILURES:
            await self._drop(channel)
            return False
        return isinstance(confirmation, Basic.Ack)

    async def _prepare(self, connection: AbstractConnection) -> AbstractChannel:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        for name, arguments in self._topology.queues().items():
            await channel.declare_queue(name, durable=True, arguments=dict(arguments))
        return channel

    async def _drop(self, channel: AbstractChannel | None) -> None:
        """Close the connection of a channel that failed, unless another task has replaced it already."""
        if channel is not self._channel or self._connection is None:
            return
        connection, self._connection, self._channel = self._connection, None, None
        with contextlib.suppress(*FAILURES):
            async with asyncio.timeout(1):
                with speaking():
                    await connection.close()
