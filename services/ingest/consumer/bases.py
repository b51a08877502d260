"""Bases: what a compaction makes of old uploads, one of each kind."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import fold, ledger
from services.ingest.consumer.fold_sql import COUNTING, DESCRIBED_AD_GROUPS, DESCRIBED_CAMPAIGNS, FOLDS, Fold
from shared.messages import COLUMNS, Kind

NAMESPACE = UUID("5d6f0a3c-3a5e-4c55-9c0e-6f3a6a0f7d11")

_SAID = {
    Kind.AD_GROUP_STATS: FOLDS[0].compute,
    Kind.AD_GROUPS: f"{DESCRIBED_AD_GROUPS} SELECT * FROM described",
    # A rename of a campaign that no file names stays an upload: in a base it would make the campaign exist.
    Kind.CAMPAIGNS: f"{DESCRIBED_CAMPAIGNS} SELECT campaign_id, name, type FROM described WHERE named",
}
"""What the uploads of a kind say about the touched keys, up to a place."""

_WORDS = "WITH RECURSIVE {counting} SELECT id, attempt_id, origin, depth FROM counting"

_OPEN_UPLOAD = """
    INSERT INTO upload (id, kind, mode, origin, keyed, content_sha256, compacted)
    VALUES (:id, :kind, 'upsert', 'base', false, '', true) ON CONFLICT DO NOTHING
"""
_OPEN_ATTEMPT = """
    INSERT INTO attempt (upload_id, received_at, state, filename, batches, currency,
                         rows_read, rows_accepted, rows_merged, rows_rejected,
                         total_impressions, total_clicks, total_conversions, total_cost, applied_at)
    SELECT :id, :before, 'applied', 'base', 0, (SELECT max(currency) FROM attempt WHERE id = ANY(:words)),
           0, 0, 0, 0, 0, 0, 0, 0, clock_timestamp()
    RETURNING id
"""
_BOUND = """
    UPDATE attempt
    SET (first_date, last_date, first_ad_group, last_ad_group) =
        (SELECT min(date), max(date), min(ad_group_id), max(ad_group_id) FROM stat_entry WHERE attempt_id = :attempt_id)
    WHERE id = :attempt_id
"""
_SPEAK = "UPDATE upload SET attempt_id = :attempt_id, place = :place WHERE id = :id"

# Only files have fixes, which keep their entries: they count again with the file that they mend.
_END = """
    WITH RECURSIVE family AS (
        SELECT id, origin FROM upload WHERE attempt_id = ANY(:words) AND fixes IS NULL AND origin <> 'base'
        UNION ALL
        SELECT fix.id, fix.origin FROM family JOIN upload fix ON fix.fixes = family.id WHERE family.origin = 'file'
    )
    UPDATE upload SET compacted = true, attempt_id = CASE WHEN fixes IS NOT NULL THEN attempt_id END
    WHERE id IN (SELECT id FROM family)
"""
_UNNAMED = """
    SELECT attempt_id FROM campaign_entry e
    WHERE attempt_id = ANY(:renames)
      AND NOT EXISTS (SELECT FROM campaign_entry b WHERE b.attempt_id = :base AND b.campaign_id = e.campaign_id)
"""
# Failed attempts never count, and uploads that were taken back only with another sending.
_USELESS = """
    SELECT a.id FROM attempt a JOIN upload u ON u.id = a.upload_id
    WHERE u.kind = :kind AND a.received_at < :before
      AND (a.state = 'failed' OR (u.fixes IS NULL AND a.id = u.attempt_id AND u.place <= u.reverted_at))
"""


@dataclass(frozen=True)
class Base:
    """A base that was made: of how many uploads, and how many entries there are instead of how many."""

    kind: Kind
    attempt_id: int
    uploads: int
    entries_before: int
    entries: int


async def make(connection: AsyncConnection, each: Fold, before: datetime) -> Base | None:
    """Fold the uploads of a kind whose place is before a time, and the base there was, into a new base.

    Returns None when there is nothing to fold. The temporary tables of `fold.prepare` must be there.
    """
    found = await connection.execute(text(_WORDS.format(counting=COUNTING.format(kind=each.kind))), {"until": before})
    words = found.all()
    files = [word.attempt_id for word in words if word.depth == 0 and word.origin == "file"]
    renames = [word.attempt_id for word in words if word.origin == "rename"]
    useless = (await connection.execute(text(_USELESS), {"kind": each.kind, "before": before})).scalars().all()
    dropped = await _drop(connection, each.kind, list(useless))
    if not files and not renames:
        return None
    said = [word.attempt_id for word in words]
    base_id, attempt_id = await _open(connection, each.kind, before, said)
    entries = await _say(connection, each, before, attempt_id, said)
    place = before - timedelta(microseconds=1)
    await connection.execute(text(_SPEAK), {"id": base_id, "attempt_id": attempt_id, "place": place})
    unnamed = await connection.execute(text(_UNNAMED), {"renames": renames, "base": attempt_id})
    ended = [*files, *(set(renames) - set(unnamed.scalars()))]
    await connection.execute(text(_END), {"words": ended})
    old = [word.attempt_id for word in words if word.origin == "base"]
    dropped += await _drop(connection, each.kind, [*ended, *old])
    await connection.execute(text("DELETE FROM attempt WHERE id = ANY(:old)"), {"old": old})
    return Base(each.kind, attempt_id, len(ended), dropped, entries)


async def _open(connection: AsyncConnection, kind: Kind, before: datetime, words: list[int]) -> tuple[UUID, int]:
    """Make a base's upload, unless there is one, and its attempt; returns the ids of both."""
    base_id = uuid5(NAMESPACE, kind)
    await connection.execute(text(_OPEN_UPLOAD), {"id": base_id, "kind": kind})
    opening = {"id": base_id, "before": before, "words": words}
    return base_id, int(await connection.scalar(text(_OPEN_ATTEMPT), opening))


async def _say(connection: AsyncConnection, each: Fold, before: datetime, attempt_id: int, words: list[int]) -> int:
    """Let the base say what these words say together; returns in how many entries."""
    await fold.forget(connection)
    await fold.touch(connection, each, words)
    columns = ", ".join(COLUMNS[each.kind])
    table = ledger.ENTRY_TABLES[each.kind].name
    said = (
        f"INSERT INTO {table} (attempt_id, {columns}) SELECT :attempt_id, {columns} FROM ({_SAID[each.kind]}) AS said"
    )
    made = await connection.execute(text(said), {"attempt_id": attempt_id, "until": before})
    if each.kind is Kind.AD_GROUP_STATS:
        await connection.execute(text(_BOUND), {"attempt_id": attempt_id})
    return made.rowcount


async def _drop(connection: AsyncConnection, kind: Kind, attempts: list[int]) -> int:
    """Delete the entries of attempts; returns how many."""
    table = ledger.ENTRY_TABLES[kind].name
    gone = await connection.execute(
        text(f"DELETE FROM {table} WHERE attempt_id = ANY(:attempts)"), {"attempts": attempts}
    )
    return gone.rowcount
