"""The rollup: each campaign's sums of each day, kept so that reads never touch the single stats.

This is where totals are computed that the read API answers with.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import coarse
from shared.tables import UNATTRIBUTED

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


async def refresh(connection: AsyncConnection) -> None:
    """Sum the touched days of the touched campaigns again; days without stats leave no row."""
    await connection.execute(text("ANALYZE touched_day"))
    await connection.execute(text(_CLEAR))
    await connection.execute(text(_REFRESH))
    await coarse.refresh(connection)
