"""The fold: from the ledger's entries to the current value of each touched key.

This is the definition of what the numbers mean, in SQL: refold every touched key from all counting uploads,
right in whatever order things arrive. What is touched is collected in temporary tables, which last for one
transaction; `touched_day` lasts until the rollup has used it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messages import Kind
from shared.tables import UNATTRIBUTED

_TOUCHED = {
    "touched_stat": "ad_group_id bigint, date date, device smallint",
    "touched_ad_group": "ad_group_id bigint",
    "touched_campaign": "campaign_id bigint",
    "touched_day": "campaign_id bigint, date date",
}

# Uploads that count, in the order of their places: the latest word has the highest rank.
_COUNTING = """
    SELECT attempt_id, origin, mode, row_number() OVER (ORDER BY place, id) AS rank
    FROM upload
    WHERE kind = '{kind}' AND attempt_id IS NOT NULL AND (reverted_at IS NULL OR place > reverted_at)
"""

_COLLECT = (
    """INSERT INTO touched_stat
       SELECT DISTINCT ad_group_id, date, device FROM stat_entry WHERE attempt_id = ANY(:attempts)""",
    """INSERT INTO touched_ad_group
       SELECT ad_group_id FROM ad_group_entry WHERE attempt_id = ANY(:attempts)
       UNION SELECT ad_group_id FROM touched_stat""",
    """INSERT INTO touched_campaign
       SELECT DISTINCT campaign_id FROM campaign_entry WHERE attempt_id = ANY(:attempts)""",
)

# value(key): the sum of the entries from the latest upsert on; without one, of all entries.
_FOLD_STATS = f"""
    WITH counting AS ({_COUNTING.format(kind="ad_group_stats")}),
    extent AS (
        SELECT min(date) AS first_date, max(date) AS last_date,
               min(ad_group_id) AS first_ad_group, max(ad_group_id) AS last_ad_group
        FROM touched_stat
    ),
    entry AS (
        SELECT e.*, counting.rank,
               max(counting.rank) FILTER (WHERE counting.mode = 'upsert')
                   OVER (PARTITION BY e.ad_group_id, e.date, e.device) AS base
        FROM counting
        JOIN attempt a ON a.id = counting.attempt_id
        JOIN extent x ON a.first_date <= x.last_date AND a.last_date >= x.first_date
                     AND a.first_ad_group <= x.last_ad_group AND a.last_ad_group >= x.first_ad_group
        JOIN stat_entry e ON e.attempt_id = counting.attempt_id
        JOIN touched_stat USING (ad_group_id, date, device)
    ),
    folded AS (
        SELECT ad_group_id, date, device, sum(impressions)::bigint AS impressions, sum(clicks)::bigint AS clicks,
               sum(conversions)::bigint AS conversions, sum(cost)::bigint AS cost
        FROM entry
        WHERE base IS NULL OR rank >= base
        GROUP BY ad_group_id, date, device
    ),
    emptied AS (
        DELETE FROM ad_group_stat s
        USING touched_stat t LEFT JOIN folded f USING (ad_group_id, date, device)
        WHERE s.ad_group_id = t.ad_group_id AND s.date = t.date AND s.device = t.device AND f.ad_group_id IS NULL
    ),
    written AS (
    INSERT INTO ad_group_stat AS s (ad_group_id, date, device, impressions, clicks, conversions, cost)
    SELECT * FROM folded ORDER BY ad_group_id, date, device
    ON CONFLICT (ad_group_id, date, device) DO UPDATE
    SET impressions = excluded.impressions, clicks = excluded.clicks,
        conversions = excluded.conversions, cost = excluded.cost
    WHERE (s.impressions, s.clicks, s.conversions, s.cost)
        IS DISTINCT FROM (excluded.impressions, excluded.clicks, excluded.conversions, excluded.cost)
    RETURNING (xmax = 0) AS is_new)
    SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""

_TOUCH_DAYS_OF_STATS = f"""
    INSERT INTO touched_day
    SELECT DISTINCT coalesce(g.campaign_id, {UNATTRIBUTED}), t.date
    FROM touched_stat t LEFT JOIN ad_group g USING (ad_group_id)
"""

# An ad group exists iff it is described or has stats; each column is its latest non-empty word.
_FOLD_AD_GROUPS = f"""
    WITH counting AS ({_COUNTING.format(kind="ad_groups")}),
    folded AS (
        SELECT ad_group_id,
               (array_agg(e.name ORDER BY rank DESC) FILTER (WHERE e.name IS NOT NULL))[1] AS name,
               (array_agg(e.campaign_id ORDER BY rank DESC) FILTER (WHERE e.campaign_id IS NOT NULL))[1] AS campaign_id
        FROM touched_ad_group JOIN ad_group_entry e USING (ad_group_id) JOIN counting USING (attempt_id)
        GROUP BY ad_group_id
    ),
    present AS (
        SELECT ad_group_id, f.name, f.campaign_id
        FROM touched_ad_group t LEFT JOIN folded f USING (ad_group_id)
        WHERE f.ad_group_id IS NOT NULL OR EXISTS (SELECT FROM ad_group_stat s WHERE s.ad_group_id = t.ad_group_id)
    ),
    moved AS (
        SELECT ad_group_id, before.campaign_id AS from_campaign, after.campaign_id AS to_campaign
        FROM touched_ad_group
        LEFT JOIN ad_group before USING (ad_group_id)
        LEFT JOIN present after USING (ad_group_id)
        WHERE before.campaign_id IS DISTINCT FROM after.campaign_id
    ),
    moved_campaigns AS (
        INSERT INTO touched_campaign
        SELECT from_campaign FROM moved WHERE from_campaign IS NOT NULL
        UNION SELECT to_campaign FROM moved WHERE to_campaign IS NOT NULL
    ),
    moved_days AS (
        INSERT INTO touched_day
        SELECT DISTINCT coalesce(campaign_id, {UNATTRIBUTED}), date
        FROM moved JOIN ad_group_stat USING (ad_group_id),
             LATERAL (VALUES (from_campaign), (to_campaign)) AS side (campaign_id)
    ),
    gone AS (
        DELETE FROM ad_group g
        USING touched_ad_group t LEFT JOIN present p USING (ad_group_id)
        WHERE g.ad_group_id = t.ad_group_id AND p.ad_group_id IS NULL
    ),
    written AS (
    INSERT INTO ad_group AS g (ad_group_id, name, campaign_id)
    SELECT ad_group_id, name, campaign_id FROM present ORDER BY ad_group_id
    ON CONFLICT (ad_group_id) DO UPDATE SET name = excluded.name, campaign_id = excluded.campaign_id
    WHERE (g.name, g.campaign_id) IS DISTINCT FROM (excluded.name, excluded.campaign_id)
    RETURNING (xmax = 0) AS is_new)
    SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""

# A campaign exists iff a file or an ad group names it: a rename alone does not make one.
_FOLD_CAMPAIGNS = f"""
    WITH counting AS ({_COUNTING.format(kind="campaigns")}),
    folded AS (
        SELECT campaign_id, bool_or(origin = 'file') AS named,
               (array_agg(e.name ORDER BY rank DESC) FILTER (WHERE e.name IS NOT NULL))[1] AS name,
               (array_agg(e.type ORDER BY rank DESC) FILTER (WHERE e.type IS NOT NULL))[1] AS type
        FROM touched_campaign JOIN campaign_entry e USING (campaign_id) JOIN counting USING (attempt_id)
        GROUP BY campaign_id
    ),
    present AS (
        SELECT DISTINCT campaign_id, f.name, f.type
        FROM touched_campaign t LEFT JOIN folded f USING (campaign_id)
        WHERE f.named OR EXISTS (SELECT FROM ad_group g WHERE g.campaign_id = t.campaign_id)
    ),
    gone AS (
        DELETE FROM campaign c
        USING touched_campaign t LEFT JOIN present p USING (campaign_id)
        WHERE c.campaign_id = t.campaign_id AND p.campaign_id IS NULL
    ),
    written AS (
    INSERT INTO campaign AS c (campaign_id, name, type)
    SELECT campaign_id, name, type FROM present ORDER BY campaign_id
    ON CONFLICT (campaign_id) DO UPDATE SET name = excluded.name, type = excluded.type
    WHERE (c.name, c.type) IS DISTINCT FROM (excluded.name, excluded.type)
    RETURNING (xmax = 0) AS is_new)
    SELECT count(*) FILTER (WHERE is_new) AS new, count(*) FILTER (WHERE NOT is_new) AS changed FROM written
"""

_FOLDS = {
    Kind.AD_GROUP_STATS: _FOLD_STATS,
    Kind.AD_GROUPS: _FOLD_AD_GROUPS,
    Kind.CAMPAIGNS: _FOLD_CAMPAIGNS,
}
"""In this order: ad groups exist by their stats, and campaigns by their ad groups."""


@dataclass(frozen=True)
class Written:
    """How many keys a fold gave a value for the first time, and how many another value."""

    new: int
    changed: int


async def prepare(connection: AsyncConnection) -> None:
    """Make the temporary tables of what is touched; they are empty again after each commit."""
    for table, columns in _TOUCHED.items():
        await connection.execute(text(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({columns}) ON COMMIT DELETE ROWS"))


async def fold(connection: AsyncConnection, attempts: Sequence[int]) -> dict[Kind, Written]:
    """Bring every key that these attempts have entries for up to date, and what depends on those keys.

    `attempts` are the ids of those that began or ceased to count; their entries must still be there.
    """
    for table in ("touched_stat", "touched_ad_group", "touched_campaign"):
        await connection.execute(text(f"DELETE FROM {table}"))
    for statement in _COLLECT:
        await connection.execute(text(statement), {"attempts": list(attempts)})
    await connection.execute(text("ANALYZE touched_stat"))
    written = {}
    for kind, statement in _FOLDS.items():
        row = (await connection.execute(text(statement))).one()
        written[kind] = Written(row.new, row.changed)
        if kind is Kind.AD_GROUP_STATS:
            await connection.execute(text(_TOUCH_DAYS_OF_STATS))
    return written
