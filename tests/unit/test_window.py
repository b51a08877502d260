"""The window of bytes under way: bounded, shared, and empty again whatever became of what was sent."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.ingest.api.publishing import RabbitTransport, Window
from shared.messages import Kind
from shared.topology import Topology
from shared.transport import TransportUnavailableError
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

ROWS = [(ad_group, date(2026, 1, 1), 1, 1, 1, 1, 1) for ad_group in range(100)]


async def test_one_message_may_always_be_under_way_however_large() -> None:
    async with asyncio.timeout(1):
        await Window(10).enter(1000)


async def test_what_does_not_fit_waits_until_there_is_room() -> None:
    window = Window(10)
    await window.enter(6)
    waiting = asyncio.create_task(window.enter(6))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    window.leave(6)
    async with asyncio.timeout(1):
        await waiting


async def test_nothing_stays_in_the_window_after_uploads_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> None:
        await asyncio.sleep(0)
        raise TransportUnavailableError("away")

    transport = RabbitTransport("amqp://127.0.0.1:1/", Topology())
    monkeypatch.setattr(transport._publisher, "send", fail)
    sent = batches(Kind.AD_GROUP_STATS, ROWS, datetime(2026, 1, 1, tzinfo=UTC), cuts=50)
    for _ in range(3):
        with pytest.raises(TransportUnavailableError):
            await transport.publish(sent)
    await asyncio.sleep(0)
    assert transport._window._used == 0
