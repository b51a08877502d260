"""The first large file: a table that never held anything is filled before it is indexed, which takes half the time.

Only appliers read the table, in turn, so nobody waits for it but a backup or an operator; where one of these has
come first, nothing is done.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer.fast_sql import KEY
from services.ingest.consumer.planning import DENIED, LARGE, ROOM
from shared.database import sqlstate

_WAS_NEVER_FILLED = "SELECT pg_relation_size('ad_group_stat') = 0"
_UNINDEX = (
    "LOCK TABLE ad_group_stat IN ACCESS EXCLUSIVE MODE NOWAIT",
    "ALTER TABLE ad_group_stat DROP CONSTRAINT ad_group_stat_pkey",
)
# As much as a sort may take, where the server's setting is less: with its default, PostgreSQL sorts on disk.
_ROOM = f"""
    SELECT set_config(name, '{ROOM}', true) FROM pg_settings
    WHERE name = 'maintenance_work_mem' AND pg_size_bytes(setting || unit) < pg_size_bytes('{ROOM}')
"""
_INDEX = f"ALTER TABLE ad_group_stat ADD CONSTRAINT ad_group_stat_pkey PRIMARY KEY ({KEY})"


@asynccontextmanager
async def filling(connection: AsyncConnection, rows: int) -> AsyncIterator[None]:
    """Have so many rows written to the current stats before they are indexed, where that helps and can be."""
    is_unindexed = rows >= LARGE and await _unindex(connection)
    yield
    if is_unindexed:
        for statement in (_ROOM, _INDEX):
            await connection.execute(text(statement))


async def _unindex(connection: AsyncConnection) -> bool:
    """Drop the key of the table if it is empty; false when it is not, or when the table cannot be had now."""
    if not await connection.scalar(text(_WAS_NEVER_FILLED)):
        return False
    try:
        async with connection.begin_nested():
            for statement in _UNINDEX:
                await connection.execute(text(statement))
    except DBAPIError as error:
        if sqlstate(error) not in DENIED:
            raise
        return False
    return True
