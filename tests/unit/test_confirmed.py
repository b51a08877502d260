"""Publishing when the client's own tasks are cancelled under it, as they are when a connection dies."""

import asyncio
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from pamqp.commands import Basic

from services.ingest.api.publishing import RabbitTransport
from services.ingest.consumer.watchdog import Watchdog
from shared import confirmed
from shared.confirmed import ConfirmedPublisher, speaking
from shared.messages import Kind
from shared.topology import Topology
from shared.transport import TransportUnavailableError
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

TOPOLOGY = Topology("test")
SENT = batches(
    Kind.AD_GROUP_STATS, [(n, date(2026, 1, 1), 1, 1, 1, 1, 1) for n in range(20)], datetime.now(UTC), cuts=5
)


class Exchange:
    """An exchange that confirms, but for the first so many publishes of one batch, whose tasks are cancelled."""

    def __init__(self, cancelled: int) -> None:
        self._left = cancelled
        self.confirmed: list[int] = []

    async def publish(self, message: Any, **_: object) -> Basic.Ack:
        await asyncio.sleep(0)
        number = message.headers["adledger-batch"]
        if number == 1 and self._left:
            self._left -= 1
            raise asyncio.CancelledError
        self.confirmed.append(number)
        return Basic.Ack()


def transport_over(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> RabbitTransport:
    async def channel(_: ConfirmedPublisher) -> object:
        await asyncio.sleep(0)
        return SimpleNamespace(default_exchange=exchange)

    monkeypatch.setattr(ConfirmedPublisher, "channel", channel)
    monkeypatch.setattr(confirmed, "BUDGET_SECONDS", 1.0)
    return RabbitTransport("amqp://nowhere", TOPOLOGY)


async def test_a_publish_whose_task_is_cancelled_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(cancelled=1)
    await transport_over(exchange, monkeypatch).publish(SENT)
    assert sorted(exchange.confirmed) == [0, 1, 2, 3, 4]
    assert exchange.confirmed[-1] == 4


async def test_an_upload_of_which_a_batch_was_not_confirmed_is_never_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(cancelled=1000)
    with pytest.raises(TransportUnavailableError):
        await transport_over(exchange, monkeypatch).publish(SENT)
    assert 4 not in exchange.confirmed, "the last batch goes out only after all others"


async def test_the_watchdog_outlives_a_question_that_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async def declare(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    async def channel(_: ConfirmedPublisher) -> object:
        await asyncio.sleep(0)
        return SimpleNamespace(declare_queue=declare)

    monkeypatch.setattr(ConfirmedPublisher, "channel", channel)
    assert await Watchdog(ConfirmedPublisher("amqp://nowhere", TOPOLOGY), TOPOLOGY).is_fed()


async def test_a_cancellation_of_our_own_stays_one() -> None:
    async def wait() -> None:
        with speaking():
            await asyncio.Event().wait()

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
