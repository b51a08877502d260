"""A clock that is ahead is noticed, and wins nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.sent import START, clicks, send, stat

pytestmark = pytest.mark.anyio


def now() -> float:
    return (datetime.now(UTC) - START) / timedelta(seconds=1)


async def test_an_upload_from_the_future_is_logged_and_stands_where_the_database_saw_it(
    engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    early = await send(engine, [stat(1, 1)], now() + 3600)
    assert f"Upload {early} says it was received 3" in caplog.text
    caplog.clear()
    await send(engine, [stat(1, 2)], now())
    assert not caplog.text
    assert await clicks(engine) == {1: 2}
