"""Whoever waits for an upload or a command to take effect waits for what came before it, never for what comes after."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import applier as applying
from services.ingest.consumer import ready
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.applying import apply_everything
from services.ingest.consumer.handler import take
from shared.messages import Kind
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 31, 9, 15, tzinfo=UTC)


async def complete(engine: AsyncEngine, number: int) -> None:
    """Let one more upload be complete."""
    rows = [(number, date(2026, 1, 1), 1, 1, 1, 1, 1)]
    (batch,) = batches(Kind.AD_GROUP_STATS, rows, NOW + timedelta(seconds=number))
    await take(engine, batch)


async def test_waiting_ends_though_there_is_always_something_new_to_apply(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = count(1)

    async def with_more_to_come(connection: AsyncConnection, currency: str | None) -> bool:
        found = await apply_everything(connection, currency)
        await complete(engine, next(numbers))
        return found

    monkeypatch.setattr(applying, "apply_everything", with_more_to_come)
    await complete(engine, next(numbers))
    async with asyncio.timeout(30):
        await Applier(engine).apply_ready(wait=True)
    async with engine.connect() as connection:
        states = await connection.execute(text("SELECT state FROM attempt ORDER BY id"))
        assert next(iter(states.scalars())) == "applied"


async def test_a_backlog_of_tiny_uploads_is_applied_in_steps(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready, "MOST_UPLOADS", 2)
    for number in range(5):
        await complete(engine, number)
    await Applier(engine).apply_ready(wait=False)
    async with engine.connect() as connection:
        states = await connection.execute(text("SELECT state, count(*) FROM attempt GROUP BY state"))
        assert states.all() == [("applied", 5)]
        assert await connection.scalar(text("SELECT version FROM dataset")) == 3
