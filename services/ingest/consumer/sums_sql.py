"""The SQL of what a whole attempt comes to at each level of the rollup, and of what these sums do to it."""

from services.ingest.consumer.fast_sql import DAYS, listed
from services.ingest.consumer.levels import DAY, Level

KEYS = "SELECT count(*) FROM ad_group_stat WHERE date BETWEEN :first_date AND :last_date"


def keep(level: Level) -> str:
    """Return the statement that keeps what an attempt comes to at a level; coarser ones are sums of the days kept."""
    if level is DAY:
        days = DAYS.format(entries="SELECT * FROM stat_entry WHERE attempt_id = :attempt_id")
        return f"INSERT INTO {DAY.sums} {days} ORDER BY 1, 2"
    keys, order = ", ".join(level.key_of_day.values()), ", ".join(level.key_of_day[name] for name in level.by_date)
    sums = f"SELECT {keys}, {listed('sum({})')} FROM {DAY.sums} GROUP BY {keys} ORDER BY {order}"
    return f"INSERT INTO {level.sums} {sums}"


def are_there(level: Level) -> str:
    """Return the question whether a level may have any sums that an attempt adds to."""
    dates = "SELECT first_date AS date, last_date FROM attempt WHERE id = :attempt_id"
    return f"""
        SELECT EXISTS (
            SELECT FROM (SELECT {level.key_of_day["date"]} AS first_date, last_date FROM ({dates}) a) a
            JOIN {level.table} d ON d.date BETWEEN a.first_date AND a.last_date
        )
    """


def add(level: Level) -> str:
    """Return the statement that adds an attempt's sums to those of a level."""
    return _take(level, "d.{0} + m.{0}")


def put(level: Level) -> str:
    """Return the statement by which an attempt's sums become those of a level."""
    return _take(level, "m.{0}")


def _take(level: Level, becomes: str) -> str:
    return f"""
        MERGE INTO {level.table} d USING {level.sums} m ON ({level.key("d")}) = ({level.key("m")})
        WHEN MATCHED THEN UPDATE SET {listed("{0} = " + becomes)}
        WHEN NOT MATCHED THEN
            INSERT ({", ".join(level.columns)}) VALUES ({", ".join(f"m.{name}" for name in level.columns)})
    """


CHANGE_ENDS = f"""
    INSERT INTO changed_day
    SELECT DISTINCT campaign_id, edge.date
    FROM {DAY.sums}, attempt, LATERAL (VALUES (first_date), (last_date)) AS edge (date)
    WHERE id = :attempt_id
"""
"""For an attempt's first and last week and month, which may have other days, too."""

TOUCH = f"INSERT INTO touched_day SELECT campaign_id, date FROM {DAY.sums}"
