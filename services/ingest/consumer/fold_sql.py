"""The SQL of the fold: what the numbers mean.

Each fold first fills a temporary table with the new values of the touched keys, and then brings the current
table in line with it. The temporary tables are analysed in between: the planner cannot guess how large a
subquery is, and a wrong guess turns a second into an hour.
"""

from dataclasses import dataclass

from services.ingest.consumer.levels import LEVELS
from shared.messages import Kind
from shared.tables import UNATTRIBUTED

_KEYS = {"campaign_id": "bigint", "date": "date"}
_SUMS = "impressions numeric, clicks numeric, conversions numeric, cost numeric"

TEMPORARY_TABLES = {
    "touched_stat": "ad_group_id bigint, date date, device smallint, PRIMARY KEY (ad_group_id, date, device)",
    "touched_ad_group": "ad_group_id bigint PRIMARY KEY",
    "touched_campaign": "campaign_id bigint PRIMARY KEY",
    "folded_stat": """ad_group_id bigint, date date, device smallint, impressions bigint, clicks bigint,
        conversions bigint, cost bigint, PRIMARY KEY (ad_group_id, date, device)""",
    "folded_ad_group": "ad_group_id bigint PRIMARY KEY, name text, campaign_id bigint",
    "folded_campaign": "campaign_id bigint PRIMARY KEY, name text, type text",
    "touched_day": "campaign_id bigint, date date",
    "incoming_stat": """attempt_id bigint, ad_group_id bigint, date date, device smallint,
        impressions bigint, clicks bigint, conversions bigint, cost bigint,
        was_impressions bigint, was_clicks bigint, was_conversions bigint, was_cost bigint, is_last boolean""",
    "day_delta": f"campaign_id bigint, date date, {_SUMS}",
    "changed_day": "campaign_id bigint, date date",
    **{level.sums: ", ".join((*(f"{key} {_KEYS[key]}" for key in level.key_of_day), _SUMS)) for level in LEVELS},
}
"""Their contents last for one transaction at most; those of days collect over all attempts that it applies at once.

`touched_day` says which sums are to be computed again, `day_delta` by how much others have moved, and `changed_day`
for which of them the coarser sums are to be computed again. The last ones are what one large attempt comes to.
"""

_OF_DAYS = ("touched_day", "day_delta", "changed_day", *(level.sums for level in LEVELS))
FORGET_DAYS = f"""
    WITH {", ".join(f"of_{table} AS (DELETE FROM {table})" for table in _OF_DAYS)}
    SELECT
"""
"""What was collected is done with, where a transaction applies more than once, as a compaction of a backlog does."""

COUNTING = """
    standing AS (
        SELECT id, fixes, attempt_id, origin, mode, place
        FROM upload
        WHERE kind = '{kind}' AND attempt_id IS NOT NULL AND (reverted_at IS NULL OR place > reverted_at)
    ),
    fix AS (
        SELECT DISTINCT ON (fixes) id, fixes, attempt_id
        FROM standing WHERE fixes IS NOT NULL
        ORDER BY fixes, place DESC, id DESC
    ),
    counting AS (
        SELECT id, attempt_id, origin, mode, row_number() OVER (ORDER BY place, id) AS rank, 0 AS depth
        FROM standing WHERE fixes IS NULL AND place < coalesce(CAST(:until AS timestamptz), 'infinity')
        UNION ALL
        SELECT fix.id, fix.attempt_id, origin, mode, rank, depth + 1
        FROM counting JOIN fix ON fix.fixes = counting.id
    )
"""
"""The words of a kind that count up to a place, `until`, or all for None; the latest has the highest rank.

A fix speaks under the rank of what it mends, after it, and of several only the latest does. It needs WITH
RECURSIVE, since a fix may be mended too.
"""


@dataclass(frozen=True)
class Fold:
    """How one kind is folded: what is touched, the new values, and the statements that follow from them."""

    kind: Kind
    touched: str
    folded: str
    collect: str
    compute: str
    follow: tuple[str, ...]
    write: str


_STATS = Fold(
    Kind.AD_GROUP_STATS,
    "touched_stat",
    "folded_stat",
    "SELECT DISTINCT ad_group_id, date, device FROM stat_entry WHERE attempt_id = ANY(:attempts)",
    # value(key): the sum of the entries from the latest upsert on; without one, of all entries.
    f"""
    WITH RECURSIVE {COUNTING.format(kind="ad_group_stats")},
    extent AS MATERIALIZED (
        SELECT min(date) AS first_date, max(date) AS last_date,
               min(ad_group_id) AS first_ad_group, max(ad_group_id) AS last_ad_group
        FROM touched_stat
    ),
    near AS MATERIALIZED (
        SELECT counting.*
        FROM counting
        JOIN attempt a ON a.id = counting.attempt_id
        JOIN extent x ON a.first_date <= x.last_date AND a.last_date >= x.first_date
                     AND a.first_ad_group <= x.last_ad_group AND a.last_ad_group >= x.first_ad_group
    ),
    entry AS (
        SELECT e.*, near.rank,
               max(near.rank) FILTER (WHERE near.mode = 'upsert')
                   OVER (PARTITION BY e.ad_group_id, e.date, e.device) AS base
        FROM near JOIN stat_entry e USING (attempt_id) JOIN touched_stat USING (ad_group_id, date, device)
    )
    SELECT ad_group_id, date, device, sum(impressions)::bigint AS impressions, sum(clicks)::bigint AS clicks,
           sum(conversions)::bigint AS conversions, sum(cost)::bigint AS cost
    FROM entry
    WHERE base IS NULL OR rank >= base
    GROUP BY ad_group_id, date, device
    """,
    (
        """
        DELETE FROM ad_group_stat s
        USING touched_stat t LEFT JOIN folded_stat f USING (ad_group_id, date, device)
        WHERE s.ad_group_id = t.ad_group_id AND s.date = t.date AND s.device = t.device AND f.ad_group_id IS NULL
        """,
        f"""
        INSERT INTO touched_day
        SELECT DISTINCT coalesce(g.campaign_id, {UNATTRIBUTED}), t.date
        FROM touched_stat t LEFT JOIN ad_group g USING (ad_group_id)
        """,
    ),
    """
    INSERT INTO ad_group_stat AS s (ad_group_id, date, device, impressions, clicks, conversions, cost)
    SELECT * FROM folded_stat ORDER BY ad_group_id, date, device
    ON CONFLICT (ad_group_id, date, device) DO UPDATE
    SET impressions = excluded.impressions, clicks = excluded.clicks,
        conversions = excluded.conversions, cost = excluded.cost
    WHERE (s.impressions, s.clicks, s.conversions, s.cost)
        IS DISTINCT FROM (excluded.impressions, excluded.clicks, excluded.conversions, excluded.cost)
    """,
)

DESCRIBED_AD_GROUPS = f"""
WITH RECURSIVE {COUNTING.format(kind="ad_groups")},
described AS (
    SELECT ad_group_id,
           (array_agg(e.name ORDER BY rank DESC, depth DESC) FILTER (WHERE e.name IS NOT NULL))[1] AS name,
           (array_agg(e.campaign_id ORDER BY rank DESC, depth DESC)
               FILTER (WHERE e.campaign_id IS NOT NULL))[1] AS campaign_id
    FROM touched_ad_group JOIN ad_group_entry e USING (ad_group_id) JOIN counting USING (attempt_id)
    GROUP BY ad_group_id
)
"""

_MOVED = """
    SELECT ad_group_id, before.campaign_id AS from_campaign, after.campaign_id AS to_campaign
    FROM touched_ad_group
    LEFT JOIN ad_group before USING (ad_group_id)
    LEFT JOIN folded_ad_group after USING (ad_group_id)
    WHERE before.campaign_id IS DISTINCT FROM after.campaign_id
"""

_AD_GROUPS = Fold(
    Kind.AD_GROUPS,
    "touched_ad_group",
    "folded_ad_group",
    """
    SELECT ad_group_id FROM ad_group_entry WHERE attempt_id = ANY(:attempts)
    UNION SELECT ad_group_id FROM touched_stat
    """,
    # An ad group exists iff it is described or has stats; each column is its latest non-empty word.
    f"""
    {DESCRIBED_AD_GROUPS}
    SELECT * FROM described
    UNION ALL
    SELECT ad_group_id, NULL, NULL FROM touched_ad_group t
    WHERE EXISTS (SELECT FROM ad_group_stat s WHERE s.ad_group_id = t.ad_group_id)
      AND NOT EXISTS (SELECT FROM described d WHERE d.ad_group_id = t.ad_group_id)
    """,
    (
        f"""
        INSERT INTO touched_day
        SELECT DISTINCT coalesce(side.campaign_id, {UNATTRIBUTED}), s.date
        FROM ({_MOVED}) AS moved
        JOIN ad_group_stat s USING (ad_group_id),
             LATERAL (VALUES (from_campaign), (to_campaign)) AS side (campaign_id)
        """,
        f"""
        INSERT INTO touched_campaign
        SELECT from_campaign FROM ({_MOVED}) AS moved WHERE from_campaign IS NOT NULL
        UNION SELECT to_campaign FROM ({_MOVED}) AS moved WHERE to_campaign IS NOT NULL
        """,
        """
        DELETE FROM ad_group g
        USING touched_ad_group t LEFT JOIN folded_ad_group f USING (ad_group_id)
        WHERE g.ad_group_id = t.ad_group_id AND f.ad_group_id IS NULL
        """,
    ),
    """
    INSERT INTO ad_group AS g (ad_group_id, name, campaign_id)
    SELECT ad_group_id, name, campaign_id FROM folded_ad_group ORDER BY ad_group_id
    ON CONFLICT (ad_group_id) DO UPDATE SET name = excluded.name, campaign_id = excluded.campaign_id
    WHERE (g.name, g.campaign_id) IS DISTINCT FROM (excluded.name, excluded.campaign_id)
    """,
)

DESCRIBED_CAMPAIGNS = f"""
WITH RECURSIVE {COUNTING.format(kind="campaigns")},
described AS (
    SELECT campaign_id, bool_or(origin <> 'rename') AS named,
           (array_agg(e.name ORDER BY rank DESC, depth DESC) FILTER (WHERE e.name IS NOT NULL))[1] AS name,
           (array_agg(e.type ORDER BY rank DESC, depth DESC) FILTER (WHERE e.type IS NOT NULL))[1] AS type
    FROM touched_campaign JOIN campaign_entry e USING (campaign_id) JOIN counting USING (attempt_id)
    GROUP BY campaign_id
)
"""

_CAMPAIGNS = Fold(
    Kind.CAMPAIGNS,
    "touched_campaign",
    "folded_campaign",
    """
    SELECT DISTINCT campaign_id FROM campaign_entry e
    WHERE attempt_id = ANY(:attempts)
      AND NOT EXISTS (SELECT FROM touched_campaign t WHERE t.campaign_id = e.campaign_id)
    """,
    # A campaign exists iff a file or an ad group names it: a rename alone does not make one.
    f"""
    {DESCRIBED_CAMPAIGNS}
    SELECT campaign_id, d.name, d.type
    FROM touched_campaign t LEFT JOIN described d USING (campaign_id)
    WHERE d.named OR EXISTS (SELECT FROM ad_group g WHERE g.campaign_id = t.campaign_id)
    """,
    (
        """
        DELETE FROM campaign c
        USING touched_campaign t LEFT JOIN folded_campaign f USING (campaign_id)
        WHERE c.campaign_id = t.campaign_id AND f.campaign_id IS NULL
        """,
    ),
    """
    INSERT INTO campaign AS c (campaign_id, name, type)
    SELECT campaign_id, name, type FROM folded_campaign ORDER BY campaign_id
    ON CONFLICT (campaign_id) DO UPDATE SET name = excluded.name, type = excluded.type
    WHERE (c.name, c.type) IS DISTINCT FROM (excluded.name, excluded.type)
    """,
)

FOLDS = (_STATS, _AD_GROUPS, _CAMPAIGNS)
"""In this order: ad groups exist by their stats, and campaigns by their ad groups."""
