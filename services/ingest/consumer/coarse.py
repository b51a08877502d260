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

    def filled(self, statement: str, source: str) -> str:
        """Return a statement about this table, for the keys that the days of `source` are part of."""
        names = self.key.split(", ")
        r_key, t_key = (", ".join(f"{alias}.{name}" for name in names) for alias in "rt")
        touched = self.touched.format(source=source)
        return statement.format(
            table=self.table, key=self.key, touched=touched, days=self.days, r_key=r_key, t_key=t_key
        )


def _steps(step: str) -> Coarse:
    return Coarse(
        f"campaign_{step}",
        "campaign_id, date",
        f"SELECT DISTINCT campaign_id, date_trunc('{step}', date)::date AS date FROM {{source}}",
        f"d.campaign_id = t.campaign_id AND d.date >= t.date AND d.date < t.date + interval '1 {step}'",
    )


ALL = (
    _steps("week"),
    _steps("month"),
    Coarse("total_day", "date", "SELECT DISTINCT date FROM {source}", "d.date = t.date"),
)

_CLEAR = "DELETE FROM {table} r USING ({touched}) t WHERE ({r_key}) = ({t_key})"

_CLEAR_ALL = "DELETE FROM {table}"

_REFRESH = """
    INSERT INTO {table} ({key}, impressions, clicks, conversions, cost)
    SELECT {t_key}, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM ({touched}) t JOIN campaign_day d ON {days}
    GROUP BY {t_key} ORDER BY {t_key}
"""


async def refresh(connection: AsyncConnection) -> None:
    """Sum what the touched days are part of again, or everything; what has no days left leaves no row."""
    if await are_behind(connection):
        statements, source = (_CLEAR_ALL, _REFRESH), "campaign_day"
    else:
        await connection.execute(text("ANALYZE touched_day"))
        statements, source = (_CLEAR, _REFRESH), "touched_day"
    for coarse in ALL:
        for statement in statements:
            await connection.execute(text(coarse.filled(statement, source)))


async def are_behind(connection: AsyncConnection) -> bool:
    """Tell whether days have changed without these tables.

    While an upgrade is under way, or after it was taken back, consumers are at work that know nothing of them.
    """
    return bool(await connection.scalar(text("SELECT coarse_version <> version FROM dataset")))
