"""Which attempts wait to be applied, in the order of their places, and who of the appliers takes which."""

import itertools
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

MOST_ROWS = 500_000
"""About how many rows one transaction applies, a single larger attempt aside.

However much waits, readers see progress, and no transaction is longer than the largest upload needs.
"""

MOST_UPLOADS = 300
"""How many uploads it applies: some statements compare each with each, and would take hours for very many tiny ones."""

# A fix waits until what it mends has been applied.
_READY = """
    SELECT *
    FROM (
        SELECT a.*, u.kind, u.mode, u.keyed, u.fixes, least(a.received_at, a.first_seen) AS place,
               sum(a.rows_accepted) OVER by_place - a.rows_accepted AS rows_before,
               row_number() OVER by_place = 1 AS is_first
        FROM attempt a JOIN upload u ON u.id = a.upload_id
        WHERE a.state = 'complete'
          AND (u.fixes IS NULL OR EXISTS (SELECT FROM upload o WHERE o.id = u.fixes AND o.place IS NOT NULL))
        WINDOW by_place AS (ORDER BY least(a.received_at, a.first_seen), a.upload_id)
    ) ready
    WHERE rows_before < :most_rows
    ORDER BY place, upload_id
    LIMIT :most_uploads
"""

CLAIMS = 7042020
"""The upper half of the advisory locks that claim attempts; the lower one is the attempt's id."""

# One after the other, up to the first that another session has claimed.
_CLAIM = f"""
    WITH RECURSIVE claimed AS (
        SELECT 0 AS number, true AS is_ours
        UNION ALL
        SELECT number + 1,
               pg_try_advisory_xact_lock(({CLAIMS}::bigint << 32) | (attempts[number + 1] & 4294967295))
        FROM claimed, (SELECT cast(:attempts AS bigint[]) AS attempts) AS asked
        WHERE is_ours AND number < cardinality(attempts)
    )
    SELECT count(*) FILTER (WHERE is_ours) - 1 FROM claimed
"""


_CLAIMED = f"""
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = {CLAIMS} AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def find(connection: AsyncConnection, times: int = 1) -> Sequence[RowMapping]:
    """Return the first of the complete attempts, as many as one transaction applies, or so many `times`."""
    limits = {"most_rows": times * MOST_ROWS, "most_uploads": times * MOST_UPLOADS}
    return (await connection.execute(text(_READY), limits)).mappings().all()


async def find_unclaimed(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Return the complete attempts from the first on that no session has claimed, about as many."""
    claimed = {row.objid for row in await connection.execute(text(_CLAIMED))}
    found = await find(connection, times=2)
    return list(itertools.dropwhile(lambda attempt: attempt["id"] % 2**32 in claimed, found))


async def claim(connection: AsyncConnection, attempts: Sequence[RowMapping]) -> int:
    """Claim these attempts until the transaction ends; returns how many of the first were not claimed by others."""
    ids = [attempt["id"] for attempt in attempts]
    return int(await connection.scalar(text(_CLAIM), {"attempts": ids}) or 0)
