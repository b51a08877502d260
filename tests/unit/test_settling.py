"""How a message's stay ends, whatever becomes of the work: each message here only remembers what was said to it."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import aio_pika
import asyncpg
import pytest
from faststream.rabbit import RabbitMessage

from services.ingest.consumer.settling import Settler
from shared.confirmed import ConfirmedPublisher
from shared.messages import MalformedMessageError
from shared.topology import Topology
from shared.wire import REASON_HEADER

pytestmark = pytest.mark.anyio


class Message:
    """A message that remembers how it was settled."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.raw_message = SimpleNamespace(body=b"body", headers={"adledger-batch": 1}, content_type="text/plain")

    async def ack(self) -> None:
        self.said.append("ack")

    async def reject(self, *, requeue: bool) -> None:
        self.said.append(f"reject, requeue={requeue}")


class Publisher:
    """A publisher that keeps what it is given, or fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[aio_pika.Message, str]] = []
        self.fails = False

    async def send(self, message: aio_pika.Message, queue: str) -> None:
        if self.fails:
            raise ConnectionError("The broker is away.")
        self.sent.append((message, queue))


@pytest.fixture
def message() -> Message:
    return Message()


@pytest.fixture
def publisher() -> Publisher:
    return Publisher()


async def settle(message: Message, publisher: Publisher, work: Any, limit: float = 5) -> list[str]:
    settler = Settler(cast("ConfirmedPublisher", publisher), Topology("test"))
    await settler.settle(cast("RabbitMessage", message), work, limit)
    return message.said


def failing(*errors: Exception) -> Any:
    """Work that fails with these errors, one a try, and then succeeds."""
    left = list(errors)

    async def work() -> None:
        if left:
            raise left.pop(0)

    return work


async def test_done_work_is_acknowledged(message: Message, publisher: Publisher) -> None:
    assert await settle(message, publisher, failing()) == ["ack"]


async def test_a_passing_failure_is_tried_again_before_anything_is_acknowledged(
    message: Message, publisher: Publisher
) -> None:
    work = failing(ConnectionRefusedError(), asyncpg.DeadlockDetectedError("deadlock"), asyncpg.DiskFullError("full"))
    assert await settle(message, publisher, work) == ["ack"]


async def test_work_that_hangs_gives_its_slot_back_and_is_tried_again_by_somebody(
    message: Message, publisher: Publisher
) -> None:
    assert await settle(message, publisher, asyncio.Event().wait, limit=0.1) == ["reject, requeue=True"]


async def test_an_unknown_failure_hands_the_message_back(message: Message, publisher: Publisher) -> None:
    assert await settle(message, publisher, failing(ZeroDivisionError())) == ["reject, requeue=True"]


async def test_poison_is_buried_with_its_reason_before_it_is_acknowledged(
    message: Message, publisher: Publisher
) -> None:
    assert await settle(message, publisher, failing(MalformedMessageError("It is no batch."))) == ["ack"]
    ((letter, queue),) = publisher.sent
    assert (letter.body, queue) == (b"body", "test.dead-letters")
    assert letter.headers == {"adledger-batch": 1, REASON_HEADER: "It is no batch."}


async def test_poison_that_cannot_be_buried_is_handed_back(message: Message, publisher: Publisher) -> None:
    publisher.fails = True
    assert await settle(message, publisher, failing(MalformedMessageError("no batch"))) == ["reject, requeue=True"]


async def test_work_outlives_the_channel_that_brought_it(message: Message, publisher: Publisher) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    settling = asyncio.create_task(settle(message, publisher, work))
    await begun.wait()
    settling.cancel()
    await asyncio.gather(settling, return_exceptions=True)
    may_end.set()
    async with asyncio.timeout(5):
        await ended.wait()
    assert message.said == []
