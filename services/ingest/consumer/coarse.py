"""The coarser rollups: each campaign's weeks and months, and the total of each day, summed from `campaign_day`."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer.levels import COARSER, Level

_CLEAR = "DELETE FROM {table} r USING ({touched}) t WHERE ({r_key}) = ({t_key})"

_CLEAR_ALL = "DELETE FROM {table}"

_REFRESH = """
    INSERT INTO {table} ({key}, impressions, clicks, conversions, cost)
    SELECT {t_key}, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM ({touched}) t JOIN campaign_day d ON {days}
    GROUP BY {t_key} ORDER BY {order}
"""


async def refresh(connection: AsyncConnection) -> None:
    """Sum what the changed days are part of again, or everything; what has no days left leaves no row."""
    if await are_behind(connection):
        statements, source = (_CLEAR_ALL, _REFRESH), "campaign_day"
    else:
        await connection.execute(text("ANALYZE changed_day"))
        statements, source = (_CLEAR, _REFRESH), "changed_day"
    for level in COARSER:
        for statement in statements:
            await connection.execute(text(_filled(statement, level, source)))


async def are_behind(connection: AsyncConnection) -> bool:
    """Tell whether days have changed without these tables.

    While an upgrade is under way, or after it was taken back, consumers are at work that know nothing of them.
    """
    return bool(await connection.scalar(text("SELECT coarse_version <> version FROM dataset")))


def _filled(statement: str, level: Level, days: str) -> str:
    """Return a statement about a level, for the keys that these days are part of."""
    return statement.format(
        table=level.table,
        key=", ".join(level.key_of_day),
        r_key=level.key("r"),
        t_key=level.key("t"),
        order=", ".join(f"t.{column}" for column in level.by_date),
        touched=level.keys_of(days),
        days=level.days,
    )
