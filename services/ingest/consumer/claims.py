"""Who applies what: each applier claims the next of the ready attempts, so that no two are at work on the same.

A claim is an advisory lock on the attempt, held to the end of the transaction; with a dead applier it is gone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database import APPLIERS_LOCK, CLAIMS_LOCK

MOST_ROWS = 500_000
"""About how many rows one transaction applies, a single larger attempt aside.

However much waits, readers see progress, and no transaction is longer than the largest upload needs.
"""

MOST_UPLOADS = 300
"""How many uploads it applies: some statements compare each with each, and would take hours for very many tiny ones."""

_CLAIM = "{lock}({class_id}, (id % 2147483647)::int)"
_TRY = _CLAIM.format(lock="pg_try_advisory_xact_lock", class_id=CLAIMS_LOCK)
_WAIT = _CLAIM.format(lock="pg_advisory_xact_lock_shared", class_id=CLAIMS_LOCK)

# A fix waits until what it mends has been applied.
_READY = """
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    WHERE a.state = 'complete'
      AND (u.fixes IS NULL OR EXISTS (SELECT FROM upload o WHERE o.id = u.fixes AND o.place IS NOT NULL))
"""

# The first attempts that nobody has claimed, without a gap, as far as one transaction goes; and all that precede them.
_NEXT = f"""
    WITH claimed AS MATERIALIZED (
        SELECT objid FROM pg_locks
        WHERE locktype = 'advisory' AND classid = {CLAIMS_LOCK} AND objsubid = 2 AND granted
          AND pid <> pg_backend_pid()
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ),
    ready AS (
        SELECT a.id, u.id AS upload_id, a.rows_accepted, least(a.received_at, a.first_seen) AS place,
               a.id % 2147483647 IN (SELECT objid::bigint FROM claimed) AS is_claimed
        {_READY}
    ),
    gaps AS (
        SELECT *, count(*) FILTER (WHERE is_claimed) OVER by_place AS gaps
        FROM ready WINDOW by_place AS (ORDER BY place, upload_id, id)
    ),
    run AS (
        SELECT *, row_number() OVER by_place AS number, sum(rows_accepted) OVER by_place - rows_accepted AS rows_before
        FROM gaps
        WHERE NOT is_claimed AND gaps = (SELECT min(gaps) FROM gaps WHERE NOT is_claimed)
        WINDOW by_place AS (ORDER BY place, upload_id, id)
    ),
    chosen AS (
        SELECT * FROM run WHERE rows_before < :most_rows AND number <= :most_uploads
        ORDER BY place, upload_id, id OFFSET 0
    )
    SELECT id, rows_accepted, false AS is_ours, place, upload_id FROM gaps
    WHERE is_claimed AND gaps <= coalesce((SELECT min(gaps) FROM run), gaps)
    UNION ALL
    SELECT id, rows_accepted, {_TRY}, place, upload_id FROM chosen
    ORDER BY place, upload_id, id
"""

_CLAIMED = f"""
    SELECT a.*, u.kind, u.mode, u.keyed, u.fixes, least(a.received_at, a.first_seen) AS place
    {_READY} AND a.id = ANY(:attempts)
    ORDER BY place, a.upload_id, a.id
"""


@dataclass(frozen=True)
class Claimed:
    """How many rows each attempt has that a transaction may apply, in order of place, and which come before these."""

    rows: Mapping[int, int]
    before: Sequence[int]


async def claim(connection: AsyncConnection) -> Claimed:
    """Claim what is to be applied next and nobody else has claimed, until the transaction ends."""
    limits = {"most_rows": MOST_ROWS, "most_uploads": MOST_UPLOADS}
    found = (await connection.execute(text(_NEXT), limits)).all()
    ours = [each.is_ours for each in found]
    first = ours.index(True) if True in ours else len(ours)
    # One that was claimed by another a moment ago ends what we may apply.
    last = ours.index(False, first) if False in ours[first:] else len(ours)
    return Claimed({each.id: each.rows_accepted for each in found[first:last]}, [each.id for each in found[:first]])


async def still_ready(connection: AsyncConnection, attempts: Collection[int]) -> Sequence[RowMapping]:
    """Return those of the attempts that are to be applied still, in the order of their places.

    To be asked when nobody else can apply: until then one may have been applied since it was looked for, by a process
    that let its claim go again, or by one of a version before, which makes none.
    """
    if not attempts:
        return []
    return (await connection.execute(text(_CLAIMED), {"attempts": list(attempts)})).mappings().all()


async def wait_for(connection: AsyncConnection, attempts: Sequence[int]) -> None:
    """Wait until the transactions end that have claimed these attempts."""
    if not attempts:
        return
    # Rolled back, which lets the locks go again.
    waiting = await connection.begin_nested()
    try:
        wait = f"SELECT {_WAIT} FROM unnest(cast(:attempts AS bigint[])) AS claimed (id)"
        await connection.execute(text(wait), {"attempts": list(attempts)})
    finally:
        await waiting.rollback()


async def lock(connection: AsyncConnection, *, wait: bool) -> bool:
    """Let no other process apply until the transaction ends; false when one does already and `wait` is not asked."""
    # A statement of its own: what is read in later ones was committed before the lock was got.
    if wait:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": APPLIERS_LOCK})
        return True
    return bool(await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": APPLIERS_LOCK}))
