"""Writing before it is one's turn: while another applies, an applier inserts what nothing else can have a say in.

The rows are seen by nobody until the transaction commits, for which it waits for its turn and holds them against what
others have done meanwhile. So the order in which uploads take effect, and what they come to, is as without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import claims, fast_sql
from services.ingest.consumer.planning import LARGE, planned_alone, summarize
from shared import failpoints
from shared.database import AHEAD_LOCK, WRITER_TIMEOUTS, is_about_data

_MAY_WRITE = "SELECT pg_try_advisory_xact_lock_shared(:lock)"
# A turn is waited for as long as it takes others to apply; whoever holds it without working is cut off by the server.
_BE_PATIENT = f"SET LOCAL lock_timeout = '{WRITER_TIMEOUTS['statement_timeout']}'"
_AS_BEFORE = f"SET LOCAL lock_timeout = '{WRITER_TIMEOUTS['lock_timeout']}'"


class OvertakenError(RuntimeError):
    """What was written ahead does not hold any more; the transaction must not be committed."""


@dataclass(frozen=True)
class Ahead:
    """How many rows of an attempt were written ahead: all but those in a region, if there is one."""

    rows: int
    region: Mapping[str, Any]

    @property
    def is_whole(self) -> bool:
        """Tell whether all rows of the attempt were written."""
        return all(end is None for end in self.region.values())

    def holds(self, standing: RowMapping) -> bool:
        """Tell whether all that others have a say in now was left out."""
        if not standing["near"]:
            return True
        return not self.is_whole and all(
            self.region[f"first_{each}"] <= standing[f"first_{each}"]
            and standing[f"last_{each}"] <= self.region[f"last_{each}"]
            for each in ("ad_group", "date")
        )


async def write(connection: AsyncConnection, attempts: Mapping[int, int]) -> dict[int, Ahead]:
    """Insert what can be of the first of these attempts, which the transaction has claimed, up to one of another kind.

    `attempts` says how many rows each has.

    Returns what was written, by the ids: only these attempts may be applied then, since the others would see it.
    Raises `OvertakenError` when another has written the same keys meanwhile.
    """
    large = list(takewhile(lambda each: attempts[each] >= LARGE, attempts))
    if not large or not await connection.scalar(text(_MAY_WRITE), {"lock": AHEAD_LOCK}):
        return {}
    await connection.execute(text(_BE_PATIENT))
    await summarize(connection)
    found = {row["id"]: row for row in (await connection.execute(text(fast_sql.AHEAD), {"attempts": large})).mappings()}
    written = {each: await _write(connection, found[each]) for each in takewhile(found.__contains__, large)}
    await failpoints.reach("ahead")
    return written


async def _write(connection: AsyncConnection, attempt: RowMapping) -> Ahead:
    region = {name: attempt[name] for name in fast_sql.REGION}
    try:
        async with planned_alone(connection, attempt["rows_accepted"]):
            keys = {"attempt_id": attempt["id"], **region}
            return Ahead((await connection.execute(text(fast_sql.WRITE_NEW), keys)).rowcount, region)
    except DBAPIError as error:
        if not is_about_data(error):
            raise
        raise OvertakenError(f"Attempt {attempt['id']} cannot be written ahead: {error.orig}") from error


async def take_turn(connection: AsyncConnection, before: Sequence[int]) -> None:
    """Wait until the transactions that have claimed these attempts end, and no other process applies."""
    await claims.wait_for(connection, before)
    await claims.lock(connection, wait=True)
    await connection.execute(text(_AS_BEFORE))
