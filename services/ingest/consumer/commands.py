"""What happens to a command: recorded like an upload, and answered once its effect can be read.

A command that is delivered again is recorded once, and answered again.
"""

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer.applier import Applier
from services.ingest.consumer.handler import stage
from services.ingest.consumer.lifeline import transaction
from shared import failpoints, tables
from shared.messages import Answer, Command, Outcome, Rename, Renamed, Revert, Reverted

_TOOK_EFFECT = """
    SELECT u.reverted_at >= least(r.requested_at, r.first_seen)
    FROM revert r JOIN upload u ON u.id = r.upload_id WHERE r.id = :id
"""


async def obey(engine: AsyncEngine, applier: Applier, command: Command) -> Answer:
    """Carry a command out and return its answer."""
    if isinstance(command, Rename):
        return await _rename(engine, applier, command)
    return await _revert(engine, applier, command)


async def _rename(engine: AsyncEngine, applier: Applier, command: Rename) -> Renamed:
    async with transaction(engine) as connection:
        found = await _campaign(connection, command.campaign_id)
        if not found.found:
            return found
        await stage(connection, command.batch)
    await failpoints.reach("recorded")
    await applier.apply_ready(wait=True)
    async with engine.connect() as connection:
        return await _campaign(connection, command.campaign_id)


async def _campaign(connection: AsyncConnection, campaign_id: int) -> Renamed:
    campaign = tables.campaign
    query = select(campaign.c.name, campaign.c.type).where(campaign.c.campaign_id == campaign_id)
    row = (await connection.execute(query)).one_or_none()
    return Renamed(found=False) if row is None else Renamed(found=True, name=row.name, type=row.type)


async def _revert(engine: AsyncEngine, applier: Applier, command: Revert) -> Reverted:
    async with transaction(engine) as connection:
        upload = tables.upload
        # Locked, so that a compaction either sees this revert or is seen by it.
        query = select(upload.c.compacted).where(upload.c.id == command.upload_id).with_for_update()
        compacted = await connection.scalar(query)
        if compacted is None or compacted:
            return Reverted(outcome=Outcome.UNKNOWN if compacted is None else Outcome.COMPACTED)
        event = {"id": command.revert_id, "upload_id": command.upload_id, "requested_at": command.requested_at}
        await connection.execute(insert(tables.revert).values(event).on_conflict_do_nothing())
    await failpoints.reach("recorded")
    await applier.apply_ready(wait=True)
    async with engine.connect() as connection:
        done = await connection.scalar(text(_TOOK_EFFECT), {"id": command.revert_id})
    return Reverted(outcome=Outcome.REVERTED if done else Outcome.IMPOSSIBLE)
