"""The coarser rollups: each campaign's weeks and months, and the total of each day, summed from `campaign_day`.

With them a read adds up a few rows where it would add up thousands.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Coarse:
    """A table of sums, its key, the keys that are touched, and the days that one of them (`t`) is the sum of."""

    table: str
    key: str
    touched: str
    days: str


def _steps(step: str) -> Coarse:
    return Coarse(
        f"campaign_{step}",
        "campaign_id, date",
        f"SELECT DISTINCT campaign_id, date_trunc('{step}', date)::date AS date FROM touched_day",
        f"d.campaign_id = t.campaign_id AND d.date >= t.date AND d.date < t.date + interval '1 {step}'",
    )


ALL = (
    _steps("week"),
    _steps("month"),
    Coarse("total_day", "date", "SELECT DISTINCT date FROM touched_day", "d.date = t.date"),
)

_CLEAR = "DELETE FROM {table} r USING ({touched}) t WHERE ({r_key}) = ({t_key})"

_REFRESH = """
    INSERT INTO {table} ({key}, impressions, clicks, conversions, cost)
    SELECT {t_key}, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM ({touched}) t JOIN campaign_day d ON {days}
    GROUP BY {t_key} ORDER BY {t_key}
"""


async def refresh(connection: AsyncConnection) -> None:
    """Sum what the touched days are part of again; what has no days left leaves no row."""
    await connection.execute(text("ANALYZE touched_day"))
    for coarse in ALL:
        for statement in (_CLEAR, _REFRESH):
            await connection.execute(text(_filled(statement, coarse)))


def _filled(statement: str, coarse: Coarse) -> str:
    names = coarse.key.split(", ")
    r_key, t_key = (", ".join(f"{alias}.{name}" for name in names) for alias in "rt")
    return statement.format(
        table=coarse.table, key=coarse.key, touched=coarse.touched, days=coarse.days, r_key=r_key, t_key=t_key
    )
