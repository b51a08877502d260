"""Several small uploads of stats applied as one: what each statement costs is paid once, and not by each of them.

They are the first attempts of their uploads, in the order of their places, and nothing later near them counts; so
each key's value follows from what it is now and their entries, one after the other. What each of them made of its
keys is the same as if they had been applied by themselves.
"""

import itertools
from collections.abc import Sequence

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import together_sql
from services.ingest.consumer.admission import RefusedAttemptError
from services.ingest.consumer.planning import LARGE, planned
from shared.messages import Kind

MOST_ROWS = 200_000
"""How many entries are put in order at once."""

_STEPS = (
    together_sql.SPEAK,
    together_sql.COLLECT,
    together_sql.COUNT,
    together_sql.DELTA,
    together_sql.WRITE,
    together_sql.NEW_AD_GROUPS,
)


async def choose(connection: AsyncConnection, ready: Sequence[RowMapping]) -> list[int]:
    """Return how many of the first of these attempts may be applied together: their ids, perhaps none."""
    candidates = [attempt["id"] for attempt in _small(ready)]
    if not candidates:
        return []
    found = await connection.execute(text(together_sql.ELIGIBLE), {"attempts": candidates})
    eligible = set(found.scalars())
    return list(itertools.takewhile(eligible.__contains__, candidates))


def _small(ready: Sequence[RowMapping]) -> list[RowMapping]:
    small = itertools.takewhile(
        lambda each: each["kind"] == Kind.AD_GROUP_STATS and each["rows_accepted"] < LARGE, ready
    )
    rows = 0
    chosen: list[RowMapping] = []
    for attempt in small:
        rows += attempt["rows_accepted"]
        if chosen and rows > MOST_ROWS:
            break
        chosen.append(attempt)
    return chosen


async def apply(connection: AsyncConnection, attempts: Sequence[int]) -> None:
    """Let these attempts count; raises `RefusedAttemptError`, or what the database says, when one of them cannot."""
    keys = {"attempts": list(attempts)}
    async with planned(connection, rows=0):
        if await connection.scalar(text(together_sql.TOTALS_DIFFER), keys):
            raise RefusedAttemptError("The entries of an attempt are not what its manifest says they are.")
        await connection.execute(text("DELETE FROM incoming_stat"))
        for step in _STEPS:
            await connection.execute(text(step), keys)
