"""What keeps a complete attempt from being applied, each with a reason that a person can act on."""

from datetime import datetime

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import ledger
from services.ingest.consumer.planning import planned_alone

_ORIGINAL = "SELECT id, kind, mode, origin, compacted FROM upload WHERE id = :id"
_COMPACTION = """
    SELECT compacted_before, u.compacted
    FROM dataset, upload u WHERE u.id = :id
"""


class RefusedAttemptError(ValueError):
    """An attempt that is not applied; the message says why, and what to do."""


async def examine(connection: AsyncConnection, attempt: RowMapping) -> None:
    """Raise `RefusedAttemptError` when the attempt must not be applied."""
    await _check_totals(connection, attempt)
    if attempt["fixes"]:
        await _check_fix(connection, attempt)
    else:
        await _check_age(connection, attempt)


async def _check_totals(connection: AsyncConnection, attempt: RowMapping) -> None:
    async with planned_alone(connection, attempt["rows_accepted"]):
        found = await ledger.totals(connection, attempt["kind"], attempt["id"])
    for name, value in found.items():
        if value != attempt[name]:
            raise RefusedAttemptError(f"Announced {name} {attempt[name]}, but received {value}.")


async def _check_fix(connection: AsyncConnection, attempt: RowMapping) -> None:
    """Hold a fix against what it mends, which is applied already."""
    original = (await connection.execute(text(_ORIGINAL), {"id": attempt["fixes"]})).mappings().one()
    if original["origin"] != "file":
        raise RefusedAttemptError(f"{original['id']} is no file, and has no rows to mend.")
    if (original["kind"], original["mode"]) != (attempt["kind"], attempt["mode"]):
        raise RefusedAttemptError(
            f"It holds {attempt['kind']} ({attempt['mode']}), but {original['id']}, which it is to mend, "
            f"holds {original['kind']} ({original['mode']})."
        )
    if original["compacted"]:
        raise RefusedAttemptError(
            f"{original['id']}, which it is to mend, is compacted and cannot change any more. "
            "Send the whole mended file instead."
        )


async def _check_age(connection: AsyncConnection, attempt: RowMapping) -> None:
    """Refuse what would have to be put into, or taken out of, numbers that are final."""
    found = (await connection.execute(text(_COMPACTION), {"id": attempt["upload_id"]})).one()
    before: datetime | None = found.compacted_before
    if before is not None and attempt["place"] < before:
        raise RefusedAttemptError(
            f"It was received before {before:%Y-%m-%d %H:%M} UTC, up to when all uploads are compacted. Send it again."
        )
    if found.compacted and attempt["mode"] == "add" and not attempt["keyed"]:
        raise RefusedAttemptError(
            "It was added before and is compacted, so that its numbers would count twice. "
            "If the same rows truly come again, send the file with another Idempotency-Key."
        )
