"""The RabbitMQ transport: batches within a window of bytes, and commands with their answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial

import aio_pika

from services.ingest.api.replies import Replies
from shared import failpoints, wire
from shared.confirmed import ConfirmedPublisher
from shared.messages import Answer, Batch, Command
from shared.topology import Topology
from shared.transport import TransportUnavailableError

WINDOW_BYTES = 16 * 2**20
"""How much may be under way at once, over all uploads of the process."""


class RabbitTransport:
    """A transport over one publishing connection; its uploads share one window."""

    def __init__(self, url: str, topology: Topology) -> None:
        self._topology = topology
        self._publisher = ConfirmedPublisher(url, topology)
        self._replies = Replies(url)
        self._window = Window(WINDOW_BYTES)

    async def publish(self, batches: Iterable[Batch]) -> str:
        """Send all batches of an attempt; raises `TransportUnavailableError` unless every one is confirmed."""
        held: Batch | None = None
        async with _failing_together() as sending:
            for batch in batches:
                if held is not None:
                    size = len(held.body)
                    await self._window.enter(size)
                    # A callback, since a task that is cancelled before it begins runs no `finally`.
                    sending.create_task(self._send(held)).add_done_callback(partial(self._leave, size))
                held = batch
        if held is not None:
            await self._send(held)
        await failpoints.reach("all-confirmed")
        return "staging"

    def _leave(self, size: int, _: asyncio.Task[None]) -> None:
        self._window.leave(size)

    async def ask(self, command: Command, seconds: float) -> Answer | None:
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
            await self._publisher.send(message, self._topology.commands)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    return wire.read_answer(await answer)
            return None

    async def is_ready(self) -> bool:
        """Tell whether the broker takes messages: a channel is open and the queues are declared."""
        await self._publisher.channel()
        return True

    async def close(self) -> None:
        """Close the connections."""
        await self._replies.close()
        await self._publisher.close()

    async def _send(self, batch: Batch) -> None:
        message = aio_pika.Message(
            batch.body,
            headers=dict(wire.batch_headers(batch)),
            content_type=wire.BATCH_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await failpoints.reach("publishing")
        await self._publisher.send(message, self._topology.batches)
        await failpoints.reach("confirmed")


class Window:
    """How many bytes may be under way; one message may always be, however large."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._room = asyncio.Event()

    async def enter(self, size: int) -> None:
        """Wait until there is room."""
        while self._used and self._used + size > self._limit:
            self._room.clear()
            await self._room.wait()
        self._used += size

    def leave(self, size: int) -> None:
        """Make room; it never waits, so that nothing can keep it from happening."""
        self._used -= size
        self._room.set()


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
