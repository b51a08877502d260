"""The dead letters: what no consumer could take, why, and how it gets another chance."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractIncomingMessage, HeadersType

from shared import wire
from shared.confirmed import ConfirmedPublisher
from shared.topology import Topology

WORN = 10
"""How often a letter may be handed out; RabbitMQ 4 throws away what was handed out more than 20 times."""

DELIVERIES_HEADER = "x-delivery-count"


@dataclass(frozen=True)
class Letter:
    """A dead letter: its place in the queue from 1, why it is there, what it was and what it holds."""

    number: int
    reason: str
    content_type: str
    headers: dict[str, str]
    body: bytes


class DeadLetters:
    """The dead-letter queue of an installation; raises `shared.confirmed.FAILURES` when the broker is away."""

    def __init__(self, url: str, topology: Topology) -> None:
        self._topology = topology
        self._publisher = ConfirmedPublisher(url, topology)

    async def read(self) -> list[Letter]:
        """Return all dead letters, and leave them where they are."""
        async with self._held() as messages:
            return [_letter(number, message) for number, message in enumerate(messages, 1)]

    async def replay(self, number: int | None = None) -> int:
        """Send one dead letter, or all, to where it came from, and return how many; a letter is never lost.

        A crash in between may leave a letter in both places, which the consumer's receipts make harmless.
        """
        replayed = 0
        async with self._held() as messages:
            for place, message in enumerate(messages, 1):
                if number in {None, place}:
                    headers = _ours(message)
                    headers.pop(wire.REASON_HEADER, None)
                    await self._publisher.send(_copy(message, headers), self._origin(message))
                    await message.ack()
                    replayed += 1
        return replayed

    async def close(self) -> None:
        """Close the connection; letters that were looked at go back to their places."""
        await self._publisher.close()

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Yield every message of the queue, unacknowledged; what is not acknowledged goes back."""
        channel = await self._publisher.channel()
        queue = await channel.get_queue(self._topology.dead_letters)
        count = queue.declaration_result.message_count or 0
        taken = [await queue.get(fail=False) for _ in range(count)]
        messages = [message for message in taken if message is not None]
        try:
            yield messages
        finally:
            await self._give_back([message for message in messages if not message.processed])

    async def _give_back(self, messages: list[AbstractIncomingMessage]) -> None:
        """Put letters back in their order; once one of them is worn, all as copies, which nobody has looked at yet.

        A crash in between may leave a letter there twice, which is as harmless as replaying it twice.
        """
        is_worn = any(_deliveries(message) >= WORN for message in messages)
        for message in messages:
            if is_worn:
                await self._publisher.send(_copy(message, _ours(message)), self._topology.dead_letters)
                await message.ack()
            else:
                await message.reject(requeue=True)

    def _origin(self, message: AbstractIncomingMessage) -> str:
        is_command = message.content_type == wire.COMMAND_TYPE
        return self._topology.commands if is_command else self._topology.batches


def _letter(number: int, message: AbstractIncomingMessage) -> Letter:
    headers = {name: str(value) for name, value in _ours(message).items()}
    reason = headers.pop(wire.REASON_HEADER, None) or "Delivered too often without success."
    return Letter(number, reason, message.content_type or "", headers, message.body)


def _ours(message: AbstractIncomingMessage) -> HeadersType:
    return {name: value for name, value in message.headers.items() if name.startswith(wire.PREFIX)}


def _deliveries(message: AbstractIncomingMessage) -> int:
    """Return how often the broker has handed the message out before."""
    count = message.headers.get(DELIVERIES_HEADER)
    return count if isinstance(count, int) else 0


def _copy(message: AbstractIncomingMessage, headers: HeadersType) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        headers=headers,
        content_type=message.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )
