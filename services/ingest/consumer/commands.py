"""What happens to a command: the same as to an upload, with an answer for the one who waits."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer.applier import Applier
from services.ingest.consumer.handler import stage
from shared import tables
from shared.messages import Rename, Renamed


async def rename(engine: AsyncEngine, applier: Applier, command: Rename) -> Renamed:
    """Rename a campaign and return what it is called once the rename counts."""
    async with engine.begin() as connection:
        found = await _read(connection, command.campaign_id)
        if not found.found:
            return found
        await stage(connection, command.batch)
    await applier.apply_ready(wait=True)
    async with engine.connect() as connection:
        return await _read(connection, command.campaign_id)


async def _read(connection: AsyncConnection, campaign_id: int) -> Renamed:
    campaign = tables.campaign
    query = select(campaign.c.name, campaign.c.type).where(campaign.c.campaign_id == campaign_id)
    row = (await connection.execute(query)).one_or_none()
    return Renamed(found=False) if row is None else Renamed(found=True, name=row.name, type=row.type)
