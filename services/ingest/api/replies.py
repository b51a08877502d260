"""Answers to commands: one exclusive queue for the whole process, and a waiting future for each command."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aiormq.exceptions import AMQPError

from shared.confirmed import speaking
from shared.transport import TransportUnavailableError

CONNECT_SECONDS = 5.0


class Replies:
    """Receives answers over a connection of its own: one that publishes may be blocked by the broker."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: AbstractConnection | None = None
        self._address = ""
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def expect(self) -> AsyncIterator[tuple[str, str, asyncio.Future[bytes]]]:
        """Yield where to send an answer, the correlation id it must carry, and the future of its body.

        Raises `TransportUnavailableError` when the broker is away.
        """
        address = await self._open()
        correlation_id = str(uuid4())
        answer = self._waiting[correlation_id] = asyncio.get_running_loop().create_future()
        try:
            yield address, correlation_id, answer
        finally:
            del self._waiting[correlation_id]
            if not answer.cancel() and not answer.cancelled():
                # Looked at, so that nobody complains about an answer that came when nobody waited for it any more.
                answer.exception()

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            with contextlib.suppress(AMQPError, OSError):
                await self._connection.close()

    async def _open(self) -> str:
        async with self._opening:
            if self._connection is None or self._connection.is_closed:
                try:
                    async with asyncio.timeout(CONNECT_SECONDS):
                        with speaking():
                            self._connection = await self._connect()
                except (AMQPError, OSError, TimeoutError) as error:
                    raise TransportUnavailableError("The queue does not answer.") from error
            return self._address

    async def _connect(self) -> AbstractConnection:
        connection = await aio_pika.connect(self._url, heartbeat=10)
        connection.close_callbacks.add(self._on_closed)
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True, auto_delete=True)
        await queue.consume(self._on_answer, no_ack=True)
        self._address = queue.name
        return connection

    async def _on_answer(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting.get(message.correlation_id or "")
        if waiting is not None and not waiting.done():
            waiting.set_result(message.body)

    def _on_closed(self, *_: object) -> None:
        """Let nobody wait for an answer that cannot come."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(TransportUnavailableError("The queue went away before it answered."))
