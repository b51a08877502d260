"""Uploads that have come through, for tests of what the ledger makes of them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import commands, handler
from services.ingest.consumer.applier import Applier
from shared.messages import Kind, Outcome, Revert, Reverted
from tests.support.uploads import batches

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = 60 * 86400
"""A second after everything was taken back that ever is."""

DAY = date(2025, 12, 31)


def stat(ad_group: int, clicks: int) -> tuple[Any, ...]:
    """Return a row of stats with so many clicks, and nothing else."""
    return ad_group, DAY, 1, 0, clicks, 0, 0


async def send(engine: AsyncEngine, rows: Sequence[Any], second: float, **told: Any) -> UUID:
    """Let a file of these rows arrive, received so many seconds after the start, and apply it; return its id."""
    kind = told.pop("kind", Kind.AD_GROUP_STATS)
    currency = told.pop("setting", None)
    sent = batches(kind, rows, START + timedelta(seconds=second), **told)
    for batch in sent:
        await handler.take(engine, batch)
    await Applier(engine, currency).apply_ready(wait=True)
    return sent[0].manifest.upload_id


async def outcome(engine: AsyncEngine, upload_id: UUID) -> tuple[str, str | None]:
    """Return the state of an upload's latest attempt and the reason for it."""
    query = "SELECT state, reason FROM attempt WHERE upload_id = :id ORDER BY received_at DESC LIMIT 1"
    async with engine.connect() as connection:
        row = (await connection.execute(text(query), {"id": upload_id})).one()
    return row.state, row.reason


async def clicks(engine: AsyncEngine) -> dict[int, int]:
    """Return the clicks of each ad group."""
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT ad_group_id, clicks FROM ad_group_stat"))
        return {row.ad_group_id: row.clicks for row in rows}


async def take_back(engine: AsyncEngine, upload_id: UUID) -> Outcome:
    """Take an upload back, a month after the start."""
    command = Revert(revert_id=uuid4(), upload_id=upload_id, requested_at=START + timedelta(days=30))
    answer = await commands.obey(engine, Applier(engine), command)
    assert isinstance(answer, Reverted)
    return answer.outcome
