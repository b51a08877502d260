"""The SQL of what a whole attempt comes to at each level of the rollup, and of what these sums do to it.

They are held by `level_sum`, where a level is named by its place in `LEVELS`.
"""

from services.ingest.consumer.fast_sql import DAYS, METRICS, listed
from services.ingest.consumer.levels import COARSER, LEVELS, Level

KEYS = "SELECT count(*) FROM ad_group_stat WHERE date BETWEEN :first_date AND :last_date"


def _sum(number: int, level: Level) -> str:
    """Return the query for an attempt's sums at a level, from those of its days."""
    key = [level.key_of_day.get(column, "NULL::bigint") for column in ("campaign_id", "date")]
    return f"(SELECT {number}::smallint, {', '.join(key)}, {listed('sum({})')} FROM day GROUP BY 2, 3 ORDER BY 2, 3)"


SUMS = f"""
    WITH day AS MATERIALIZED ({DAYS.format(entries="SELECT * FROM stat_entry WHERE attempt_id = $1")})
    (SELECT 0::smallint, * FROM day ORDER BY campaign_id, date) UNION ALL
    {" UNION ALL ".join(_sum(number, level) for number, level in enumerate(COARSER, start=1))}
"""
"""What an attempt comes to; its parameter is written as the driver wants it."""


def _take(number: int, level: Level, becomes: str) -> str:
    """Return the statement that brings the sums of a level into its table, where those that are there become this."""
    columns = [*level.key_of_day, *METRICS]
    return f"""
        MERGE INTO {level.table} d
        USING (SELECT * FROM level_sum WHERE level = {number}) m ON ({level.key("d")}) = ({level.key("m")})
        WHEN MATCHED THEN UPDATE SET {listed("{0} = " + becomes)}
        WHEN NOT MATCHED THEN INSERT ({", ".join(columns)}) VALUES ({", ".join(f"m.{name}" for name in columns)})
    """


def _all(becomes: str) -> tuple[str, ...]:
    return tuple(_take(number, level, becomes) for number, level in enumerate(LEVELS))


ADD = _all("d.{0} + m.{0}")
"""For an attempt that only adds to what there was."""

# The first and the last week and month may have other days, too.
_CHANGE_ENDS = """
    INSERT INTO changed_day
    SELECT campaign_id, date
    FROM (SELECT min(date) AS first_date, max(date) AS last_date FROM level_sum WHERE level = 0) ends,
         LATERAL (VALUES (first_date), (last_date)) AS edge (date),
         (SELECT DISTINCT campaign_id FROM level_sum WHERE level = 0) campaigns
"""
PUT = (*_all("m.{0}"), _CHANGE_ENDS)
"""For an attempt that has all keys of its dates, whose sums then are all sums of these dates."""

TOUCH = "INSERT INTO touched_day SELECT campaign_id, date FROM level_sum WHERE level = 0"
"""For one that replaces a part of what there was: which days are to be summed again."""
