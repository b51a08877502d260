"""What a test of the ledger asks the database."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

TABLES = """upload, attempt, receipt, revert, rejection, stat_entry, ad_group_entry, campaign_entry, ad_group_stat,
    ad_group, campaign, campaign_day, campaign_week, campaign_month, total_day"""
METRICS = "impressions, clicks, conversions, cost"


async def empty(engine: AsyncEngine) -> None:
    """Forget everything that was ever uploaded."""
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {TABLES}"))
        await connection.execute(text("UPDATE dataset SET currency = NULL, compacted_before = NULL"))


async def current_values(engine: AsyncEngine) -> dict[str, dict[Any, Any]]:
    """Return all current values, as the model names them."""
    async with engine.connect() as connection:
        stats = await _rows(connection, f"SELECT ad_group_id, date, device, {METRICS} FROM ad_group_stat")
        days = await _rows(connection, f"SELECT campaign_id, date, {METRICS} FROM campaign_day")
        ad_groups = await _rows(connection, "SELECT ad_group_id, name, campaign_id FROM ad_group")
        campaigns = await _rows(connection, "SELECT campaign_id, name, type FROM campaign")
    return {
        "stats": {row[:3]: list(row[3:]) for row in stats},
        "ad_groups": {row[0]: row[1:] for row in ad_groups},
        "campaigns": {row[0]: row[1:] for row in campaigns},
        "rollup": {row[:2]: list(map(int, row[2:])) for row in days},
    }


async def coarse_values(engine: AsyncEngine) -> dict[str, dict[Any, Any]]:
    """Return the coarser rollups, as the model names them."""
    async with engine.connect() as connection:
        weeks = await _rows(connection, f"SELECT campaign_id, date, {METRICS} FROM campaign_week")
        months = await _rows(connection, f"SELECT campaign_id, date, {METRICS} FROM campaign_month")
        totals = await _rows(connection, f"SELECT date, {METRICS} FROM total_day")
    return {
        "weeks": {row[:2]: list(map(int, row[2:])) for row in weeks},
        "months": {row[:2]: list(map(int, row[2:])) for row in months},
        "totals": {row[0]: list(map(int, row[1:])) for row in totals},
    }


async def is_known(engine: AsyncEngine, upload_id: UUID) -> bool:
    """Tell whether anything of an upload has arrived."""
    async with engine.connect() as connection:
        query = text("SELECT EXISTS (SELECT FROM upload WHERE id = :id)")
        return bool(await connection.scalar(query, {"id": upload_id}))


async def states(engine: AsyncEngine) -> dict[tuple[UUID, datetime], str]:
    """Return the state of each attempt."""
    async with engine.connect() as connection:
        rows = await _rows(connection, "SELECT upload_id, received_at, state FROM attempt")
    return {row[:2]: row[2] for row in rows}


async def _rows(connection: AsyncConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.execute(text(query))]
