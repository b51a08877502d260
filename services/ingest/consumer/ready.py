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


_WAIT = f"SELECT pg_advisory_xact_lock_shared(({CLAIMS}::bigint << 32) | (cast(:attempt AS bigint) & 4294967295))"
_CLAIMED = f"""
    SELECT objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND classid = {CLAIMS} AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def find(connection: AsyncConnection, times: int = 1) -> Sequence[RowMapping]:
    """Return the first of the complete attempts, as many as one transaction applies, or so many `times`."""
    limits = {"most_rows": times * MOST_ROWS, "most_uploads": times * MOST_UPLOADS}
    return (await connection.execute(text(_READY), limits)).mappings().all()


async def take(connection: AsyncConnection, ahead: Sequence[int]) -> Sequence[RowMapping] | None:
    """Claim what this transaction applies, of which it has written some `ahead`; None if those are not the first.

    Nothing is taken that comes before what another has claimed: that would be in each other's way, and the other is
    about to have its turn, in which it sees to both.
    """
    found = await find(connection)
    taken = found[: await claim(connection, found)]
    if [attempt["id"] for attempt in taken[: len(ahead)]] != list(ahead):
        return None
    return taken if ahead or len(taken) == len(found) else []


async def find_unclaimed(connection: AsyncConnection) -> tuple[list[int], list[RowMapping]]:
    """Return the first of the complete attempts, which others have claimed, and those after them, about as many.

    None after them while somebody has claimed one of these: what is between will be applied before that, anew.
    """
    claimed = {row.objid for row in await connection.execute(text(_CLAIMED))}
    found = [(attempt, attempt["id"] % 2**32 in claimed) for attempt in await find(connection, times=2)]
    others = [attempt["id"] for attempt, _ in itertools.takewhile(lambda each: each[1], found)]
    rest = found[len(others) :]
    return others, [] if any(is_claimed for _, is_claimed in rest) else [attempt for attempt, _ in rest]


async def claim(connection: AsyncConnection, attempts: Sequence[RowMapping]) -> int:
    """Claim these attempts until the transaction ends; returns how many of the first were not claimed by others."""
    ids = [attempt["id"] for attempt in attempts]
    return int(await connection.scalar(text(_CLAIM), {"attempts": ids}) or 0)


async def wait_for(connection: AsyncConnection, attempt_id: int) -> None:
    """Wait until nobody has claimed an attempt any more."""
    await connection.execute(text(_WAIT), {"attempt": attempt_id})
