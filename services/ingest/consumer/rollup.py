"""The rollup: each campaign's sums of each day, kept so that reads never touch the single stats.

This is where totals are computed that the read API answers with, but for those of a large upload (`sums_sql`).
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import coarse, planning
from shared.tables import UNATTRIBUTED

_MOVE = """
    INSERT INTO campaign_day AS d (campaign_id, date, impressions, clicks, conversions, cost)
    SELECT campaign_id, date, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM day_delta m
    WHERE NOT EXISTS (SELECT FROM touched_day t WHERE t.campaign_id = m.campaign_id AND t.date = m.date)
    GROUP BY campaign_id, date
    ORDER BY campaign_id, date
    ON CONFLICT (campaign_id, date) DO UPDATE
    SET impressions = d.impressions + excluded.impressions, clicks = d.clicks + excluded.clicks,
        conversions = d.conversions + excluded.conversions, cost = d.cost + excluded.cost
"""

_CLEAR = """
    DELETE FROM campaign_day d
    USING (SELECT DISTINCT campaign_id, date FROM touched_day) t
    WHERE d.campaign_id = t.campaign_id AND d.date = t.date
"""

_REFRESH = f"""
    INSERT INTO campaign_day (campaign_id, date, impressions, clicks, conversions, cost)
    SELECT t.campaign_id, t.date, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM (SELECT DISTINCT campaign_id, date FROM touched_day) t
    JOIN ad_group g ON coalesce(g.campaign_id, {UNATTRIBUTED}) = t.campaign_id
    JOIN ad_group_stat s ON s.ad_group_id = g.ad_group_id AND s.date = t.date
    GROUP BY t.campaign_id, t.date
    ORDER BY t.campaign_id, t.date
"""


_CHANGED = """
    INSERT INTO changed_day
    SELECT campaign_id, date FROM touched_day UNION ALL SELECT campaign_id, date FROM day_delta
"""


async def refresh(connection: AsyncConnection) -> None:
    """Bring the days up to date: sum the touched ones again, move the others; days without stats leave no row."""
    await planning.give_room(connection)
    await connection.execute(text("ANALYZE touched_day, day_delta"))
    await connection.execute(text(_MOVE))
    if await connection.scalar(text("SELECT EXISTS (SELECT FROM touched_day)")):
        await connection.execute(text(_CLEAR))
        await connection.execute(text(_REFRESH))
    await connection.execute(text(_CHANGED))
    await coarse.refresh(connection)
