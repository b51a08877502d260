"""The ledger in PostgreSQL: attempts, receipts and entries, each statement one function.

Every function works in the transaction of the connection it is given and never commits.
"""

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, RowMapping, Table, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import tables
from shared.database import driver_of
from shared.messages import COLUMNS, REJECTION_COLUMNS, Batch, Kind, MalformedMessageError, Manifest, Part
from shared.reports import Report
from shared.states import SHOWN_STATE

ENTRY_TABLES: dict[Kind, Table] = {
    Kind.CAMPAIGNS: tables.campaign_entry,
    Kind.AD_GROUPS: tables.ad_group_entry,
    Kind.AD_GROUP_STATS: tables.stat_entry,
}

logger = logging.getLogger(__name__)

SKEW = timedelta(seconds=1)
"""By how much the clocks of ingest and the database may differ before it is logged."""

# A batch that comes after its attempt was given up opens it again.
_NEXT_STATE = """
    CASE WHEN state NOT IN ('staging', 'abandoned') THEN state
         WHEN batches_seen + 1 = batches THEN 'complete' ELSE 'staging' END
"""


class ConflictingBatchError(MalformedMessageError):
    """A batch that contradicts what was received before under the same number."""


async def find_attempt(connection: AsyncConnection, manifest: Manifest) -> int:
    """Return the attempt's id; its row is made when this is its first batch.

    The row is not locked: batches of one attempt are copied side by side, and only counted one after the other.
    Raises `ConflictingBatchError` when an earlier batch told another story about the attempt.
    """
    row = await _known_attempt(connection, manifest)
    if row is None:
        opened = await _open_attempt(connection, manifest)
        if opened is not None:
            return opened
        row = await _known_attempt(connection, manifest)
    if row is None:
        raise RuntimeError(f"The attempt at {manifest.upload_id} vanished between two statements.")
    for name, value in _story(manifest).items():
        if row[name] != value:
            raise ConflictingBatchError(f"Says {name} is {value!r}; an earlier batch said {row[name]!r}.")
    return int(row["id"])


async def _known_attempt(connection: AsyncConnection, manifest: Manifest) -> RowMapping | None:
    attempt = tables.attempt
    found = await connection.execute(
        select(attempt).where(attempt.c.upload_id == manifest.upload_id, attempt.c.received_at == manifest.received_at),
    )
    return found.mappings().one_or_none()


async def _open_attempt(connection: AsyncConnection, manifest: Manifest) -> int | None:
    """Make the rows of the upload and the attempt; None when another consumer just did."""
    upload = {
        "id": manifest.upload_id,
        "kind": manifest.kind,
        "mode": manifest.mode,
        "origin": manifest.origin,
        "keyed": manifest.keyed,
        "content_sha256": manifest.content_sha256,
        "fixes": manifest.fixes,
    }
    attempt = {"upload_id": manifest.upload_id, "received_at": manifest.received_at, **_story(manifest)}
    columns = tables.attempt.c
    ahead = columns.received_at - columns.first_seen
    await connection.execute(insert(tables.upload).values(upload).on_conflict_do_nothing())
    opening = (
        insert(tables.attempt).values(attempt).on_conflict_do_nothing().returning(columns.id, ahead.label("ahead"))
    )
    opened = (await connection.execute(opening)).one_or_none()
    if opened is None:
        return None
    _log_skew(manifest, opened.ahead)
    return int(opened.id)


def _log_skew(manifest: Manifest, ahead: timedelta | None) -> None:
    """Say that a clock is wrong: nothing can be received after it has come here."""
    if ahead is not None and ahead > SKEW:
        logger.warning(
            "Upload %s says it was received %.1f s later than the database's clock shows now; the clocks should be set "
            "right. It takes its place by the database's.",
            manifest.upload_id,
            ahead.total_seconds(),
        )


def _story(manifest: Manifest) -> dict[str, object]:
    bounds = manifest.bounds
    totals = manifest.totals
    return {
        "filename": manifest.filename,
        "sender": manifest.sender,
        "currency": manifest.currency,
        "batches": manifest.batches,
        "rows_read": manifest.rows_read,
        "rows_accepted": manifest.rows_accepted,
        "rows_merged": manifest.rows_merged,
        "rows_rejected": manifest.rows_rejected,
        "total_impressions": totals.impressions,
        "total_clicks": totals.clicks,
        "total_conversions": totals.conversions,
        "total_cost": totals.cost,
        "first_date": bounds and bounds.first_date,
        "last_date": bounds and bounds.last_date,
        "first_ad_group": bounds and bounds.first_ad_group,
        "last_ad_group": bounds and bounds.last_ad_group,
    }


async def add_receipt(connection: AsyncConnection, attempt_id: int, batch: Batch) -> bool:
    """Note that the batch was received; false when it had been before.

    Raises `ConflictingBatchError` when another batch came under the same number.
    """
    receipt = tables.receipt
    new = await connection.scalar(
        insert(receipt)
        .values(attempt_id=attempt_id, number=batch.number, sha256=batch.sha256)
        .on_conflict_do_nothing()
        .returning(receipt.c.number),
    )
    if new is not None:
        return True
    known = await connection.scalar(
        select(receipt.c.sha256).where(receipt.c.attempt_id == attempt_id, receipt.c.number == batch.number),
    )
    if known != batch.sha256:
        raise ConflictingBatchError(f"Batch {batch.number} was received before with other content.")
    return False


async def append(connection: AsyncConnection, attempt_id: int, batch: Batch) -> None:
    """Copy the batch's rows into the ledger; raises `MalformedMessageError` when they are none."""
    if not batch.body.endswith(b"\n"):
        raise MalformedMessageError("The body is empty or cut off.")
    if batch.part is Part.REPORT:
        return await _keep_report(connection, attempt_id, batch.body)
    table, columns = _target(batch)
    prefix = b"%d\t" % attempt_id
    rows = prefix + batch.body[:-1].replace(b"\n", b"\n" + prefix) + b"\n"
    driver = await driver_of(connection)
    try:
        await driver.copy_to_table(table.name, source=_at_once(rows), columns=["attempt_id", *columns], format="text")
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise MalformedMessageError(f"The body cannot be copied: {error}") from error


async def _at_once(rows: bytes) -> AsyncIterator[bytes]:
    """Yield everything: asyncpg takes bytes for a file's name, and reads a file in a thread, amid which it may fail."""
    yield rows


async def _keep_report(connection: AsyncConnection, attempt_id: int, body: bytes) -> None:
    try:
        report = msgspec.json.decode(body, type=Report)
    except msgspec.MsgspecError as error:
        raise MalformedMessageError(f"The body is no report: {error}") from error
    attempt = tables.attempt
    kept = msgspec.to_builtins(report, builtin_types=())
    await connection.execute(update(attempt).where(attempt.c.id == attempt_id).values(report=kept))


def _target(batch: Batch) -> tuple[Table, tuple[str, ...]]:
    if batch.part is Part.REJECTIONS:
        # Senders of the first version leave the original text out, which is the last column.
        found = batch.body.split(b"\n", 1)[0].count(b"\t") + 1
        return tables.rejection, REJECTION_COLUMNS[:found]
    return ENTRY_TABLES[batch.manifest.kind], COLUMNS[batch.manifest.kind]


async def count_batch(connection: AsyncConnection, attempt_id: int) -> bool:
    """Count one more batch of the attempt; true when it was the last one missing."""
    attempt = tables.attempt
    state = await connection.scalar(
        update(attempt)
        .where(attempt.c.id == attempt_id)
        .values(
            batches_seen=attempt.c.batches_seen + 1,
            last_seen=func.clock_timestamp(),
            state=text(_NEXT_STATE),
            reason=text("CASE WHEN state <> 'abandoned' THEN reason END"),
        )
        .returning(attempt.c.state),
    )
    return bool(state == "complete")


async def totals(connection: AsyncConnection, kind: str, attempt_id: int) -> dict[str, Decimal]:
    """Return what the attempt's entries come to, under the names of the attempt's own columns."""
    entries = ENTRY_TABLES[Kind(kind)]
    sums: dict[str, ColumnElement[Any]] = {"rows_accepted": func.count()}
    if entries is tables.stat_entry:
        metrics = ("impressions", "clicks", "conversions", "cost")
        sums |= {f"total_{name}": func.coalesce(func.sum(entries.c[name]), 0) for name in metrics}
    query = select(*(value.label(name) for name, value in sums.items())).where(entries.c.attempt_id == attempt_id)
    row = (await connection.execute(query)).mappings().one()
    return {name: Decimal(row[name]) for name in sums}


async def drop_entries(connection: AsyncConnection, kind: str, attempt_id: int) -> None:
    """Delete the entries of an attempt that another one of the same upload has superseded."""
    for table in (ENTRY_TABLES[Kind(kind)], tables.rejection):
        await connection.execute(delete(table).where(table.c.attempt_id == attempt_id))


async def drop_receipts(connection: AsyncConnection, attempt_id: int) -> None:
    """Forget which batches of an attempt were received; its entries must go with them."""
    await connection.execute(delete(tables.receipt).where(tables.receipt.c.attempt_id == attempt_id))


async def state(connection: AsyncConnection, manifest: Manifest) -> str:
    """Return the state of an attempt, as clients see it."""
    query = text(f"""
        SELECT {SHOWN_STATE}
        FROM attempt a JOIN upload u ON u.id = a.upload_id
        WHERE a.upload_id = :upload_id AND a.received_at = :received_at
    """)
    keys = {"upload_id": manifest.upload_id, "received_at": manifest.received_at}
    return str(await connection.scalar(query, keys))
