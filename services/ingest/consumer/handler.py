"""What happens to a batch, whatever transport brought it: one transaction, one commit."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import ledger
from services.ingest.consumer.lifeline import transaction
from shared import failpoints
from shared.database import is_about_data
from shared.messages import Batch, MalformedMessageError


async def stage(connection: AsyncConnection, batch: Batch) -> bool:
    """Put a batch into the ledger unless it is there already; true when its attempt may be complete.

    The receipt and the rows stand or fall with the caller's transaction, so a redelivered batch is a no-op.
    Raises `shared.messages.MalformedMessageError` for a batch that no retry can mend.
    """
    try:
        return await _stage(connection, batch)
    except DBAPIError as error:
        if not is_about_data(error):
            raise
        raise MalformedMessageError(f"What it says cannot be stored: {error.orig}") from error


async def _stage(connection: AsyncConnection, batch: Batch) -> bool:
    attempt_id = await ledger.find_attempt(connection, batch.manifest)
    if not await ledger.add_receipt(connection, attempt_id, batch):
        # Whoever stored it may have died before the attempt was applied.
        return True
    await failpoints.reach("receipted")
    await ledger.append(connection, attempt_id, batch)
    await failpoints.reach("appended")
    return await ledger.count_batch(connection, attempt_id)


async def take(engine: AsyncEngine, batch: Batch) -> bool:
    """Stage a batch and commit, as `stage` does; when this returns the message may be acknowledged."""
    async with transaction(engine) as connection:
        return await stage(connection, batch)
