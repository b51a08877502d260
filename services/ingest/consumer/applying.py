"""What applying means: each attempt and each revert entirely or not at all, then one rollup over all of them.

Everything here happens in one transaction that holds the appliers' lock.
"""

import logging
from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import (
    admission,
    coarse,
    currency,
    fast,
    fold,
    ledger,
    planning,
    ready,
    rollup,
    together,
)
from services.ingest.consumer.admission import RefusedAttemptError
from services.ingest.consumer.fast import Ahead, InVainError
from shared import failpoints
from shared.database import is_about_data
from shared.messages import Kind

logger = logging.getLogger(__name__)

# The attempt that gives the upload its place and its entries: the latest, or with a key the earliest.
_CHOOSE = """
    SELECT id, least(received_at, first_seen) AS place
    FROM attempt
    WHERE upload_id = :upload_id AND (state = 'applied' OR id = :attempt_id)
    ORDER BY place {order} LIMIT 1
"""

# What begins or ceases to count with an upload: its fixes with it, and with a fix those that it takes turns with.
_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT id, attempt_id FROM upload WHERE id = :upload_id OR fixes = CAST(:fixes AS uuid)
        UNION
        SELECT fix.id, fix.attempt_id FROM family JOIN upload fix ON fix.fixes = family.id
    )
    SELECT attempt_id FROM family WHERE attempt_id IS NOT NULL
"""

_APPLIED = "UPDATE attempt SET state = 'applied' WHERE id = :attempt_id"
# The last statement before the commit, so that the time is when the numbers could first be read.
_STAMP = "UPDATE attempt SET applied_at = clock_timestamp() WHERE state = 'applied' AND id = ANY(:attempts)"
_SPEAKS = "UPDATE upload SET attempt_id = :attempt_id, place = :place WHERE id = :upload_id"
_COUNTED = "UPDATE attempt SET keys_new = :new, keys_changed = :changed WHERE id = :attempt_id"
_FAILED = "UPDATE attempt SET state = 'failed', reason = :reason WHERE id = :attempt_id"

_PENDING_REVERTS = """
    SELECT DISTINCT u.id AS upload_id, u.fixes
    FROM revert r JOIN upload u ON u.id = r.upload_id
    WHERE r.applied_at IS NULL
    ORDER BY u.id
"""
_REVERT_APPLIED = "UPDATE revert SET applied_at = clock_timestamp() WHERE upload_id = :id AND applied_at IS NULL"
_REVERT = """
    UPDATE upload
    SET reverted_at = (SELECT max(least(requested_at, first_seen)) FROM revert WHERE upload_id = :id)
    WHERE id = :id
"""


async def apply_everything(
    connection: AsyncConnection, setting: str | None = None, ahead: Mapping[int, Ahead] | None = None
) -> bool:
    """Apply the first of the complete attempts in order, and every revert; true when there was anything to do.

    `setting` is the currency that all files must be in, None for that of the first one. `ahead` is what this
    transaction has written ahead, perhaps nothing, where others may write ahead too, and None where nobody may; raises
    `InVainError` where what was written cannot stay.
    """
    taken = await ready.find(connection) if ahead is None else await ready.take(connection, list(ahead))
    if taken is None:
        raise InVainError
    reverts = (await connection.execute(text(_PENDING_REVERTS))).mappings().all()
    if not taken and not reverts and not await coarse.are_behind(connection):
        return False
    await fold.prepare(connection)
    await currency.settle(connection, setting)
    done = 0
    while waiting := taken[done:]:
        # Each time: what is stored meanwhile would be read along by every statement.
        await planning.summarize_for(connection, waiting[0]["rows_accepted"])
        applied = await _apply_next(connection, waiting, ahead or {})
        if any(attempt["keyed"] for attempt in waiting[:applied]):
            # An earlier sending may have put its upload before its revert, so that it holds no currency any more.
            await currency.settle(connection, setting)
        done += applied
        await failpoints.reach("folding")
    for upload in reverts:
        await _try_revert(connection, upload)
    await currency.settle(connection, setting)
    await rollup.refresh(connection)
    await connection.execute(text("UPDATE dataset SET version = version + 1, coarse_version = version + 1"))
    await connection.execute(text(_STAMP), {"attempts": [attempt["id"] for attempt in taken]})
    await failpoints.reach("folded")
    return True


async def _apply_next(connection: AsyncConnection, waiting: Sequence[RowMapping], ahead: Mapping[int, Ahead]) -> int:
    """Apply the first of these attempts, with those after it where they can be together; returns how many."""
    several = await together.choose(connection, waiting)
    if several and await _try_together(connection, several):
        return len(several)
    alone = waiting[: max(1, len(several))]
    for attempt in alone:
        await _try_attempt(connection, attempt, ahead.get(attempt["id"]))
    return len(alone)


async def _try_together(connection: AsyncConnection, attempts: Sequence[int]) -> bool:
    """Apply the attempts together; false when one of them cannot be, which is then told by itself."""
    try:
        async with connection.begin_nested():
            await together.apply(connection, attempts)
    except (RefusedAttemptError, DBAPIError) as error:
        _reason(error)
        return False
    return True


async def _try_attempt(connection: AsyncConnection, attempt: RowMapping, ahead: Ahead | None) -> None:
    """Apply the attempt, or mark it as failed when it cannot be; the others go on."""
    try:
        async with connection.begin_nested():
            await admission.examine(connection, attempt)
            await _apply(connection, attempt, ahead)
    except (RefusedAttemptError, DBAPIError) as error:
        reason = _reason(error)
        if ahead:
            raise InVainError from error
        logger.warning("Upload %s failed: %s", attempt["upload_id"], reason)
        await connection.execute(text(_FAILED), {"attempt_id": attempt["id"], "reason": reason})


async def _apply(connection: AsyncConnection, attempt: RowMapping, ahead: Ahead | None) -> None:
    """Let the attempt be its upload's word, unless another one of the upload is; drop the one that is not."""
    keys = {"upload_id": attempt["upload_id"], "attempt_id": attempt["id"]}
    order = "ASC" if attempt["keyed"] else "DESC"
    chosen = (await connection.execute(text(_CHOOSE.format(order=order)), keys)).mappings().one()
    superseded = await connection.scalar(text("SELECT attempt_id FROM upload WHERE id = :upload_id"), keys)
    await connection.execute(text(_APPLIED), keys)
    if ahead and (superseded or chosen["id"] != attempt["id"]):
        raise InVainError
    if chosen["id"] == attempt["id"]:
        await connection.execute(text(_SPEAKS), {**keys, "place": chosen["place"]})
        await _let_count(connection, attempt, superseded, ahead)
    else:
        superseded = attempt["id"]
    if superseded:
        await ledger.drop_entries(connection, attempt["kind"], superseded)


async def _let_count(
    connection: AsyncConnection, attempt: RowMapping, superseded: int | None, ahead: Ahead | None
) -> None:
    await currency.agree(connection, attempt["upload_id"])
    counts = await _fold(connection, attempt, superseded, ahead)
    counted = {"attempt_id": attempt["id"], "new": counts.new, "changed": counts.changed}
    await connection.execute(text(_COUNTED), counted)


async def _fold(
    connection: AsyncConnection, attempt: RowMapping, superseded: int | None, ahead: Ahead | None
) -> fold.Written:
    """Bring the keys of an attempt up to date, the fast way where there is one."""
    kind = Kind(attempt["kind"])
    if kind is Kind.AD_GROUP_STATS and not superseded:
        written = await fast.fold(connection, attempt["id"], ahead, is_first=attempt["is_first"])
        if written is not None:
            return written
    family = await _family(connection, attempt)
    return (await fold.fold(connection, [*family, *([superseded] if superseded else [])]))[kind]


async def _family(connection: AsyncConnection, upload: RowMapping) -> list[int]:
    """Return the attempts whose entries count differently when this upload does."""
    keys = {"upload_id": upload["upload_id"], "fixes": upload["fixes"]}
    return list((await connection.execute(text(_FAMILY), keys)).scalars())


async def _try_revert(connection: AsyncConnection, upload: RowMapping) -> None:
    """Let the upload's reverts take effect; one that cannot, because sums would be too large, has none."""
    keys = {"id": upload["upload_id"]}
    try:
        async with connection.begin_nested():
            await connection.execute(text(_REVERT), keys)
            await fold.fold(connection, await _family(connection, upload))
    except DBAPIError as error:
        logger.warning("Upload %s cannot be taken back: %s", upload["upload_id"], _reason(error))
    await connection.execute(text(_REVERT_APPLIED), keys)


def _reason(error: RefusedAttemptError | DBAPIError) -> str:
    """Return why an attempt cannot be applied; raises an error that says nothing about it again."""
    if isinstance(error, RefusedAttemptError):
        return str(error)
    if not is_about_data(error):
        raise error
    return f"The numbers cannot be stored: {error.orig}"
