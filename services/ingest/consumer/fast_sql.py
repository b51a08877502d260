"""The SQL of the fast paths: what an upload's entries do to the current stats when nothing later is in their way.

Sums of whole numbers can be moved by differences without ever drifting: `day_delta` says by how much an upload
moves each campaign's day. Where it replaces values, its days are summed again, as after the general rule.
"""

from services.ingest.consumer.levels import METRICS
from shared.messages import Kind, Mode
from shared.tables import UNATTRIBUTED

KEY = "ad_group_id, date, device"


def listed(each: str) -> str:
    """Return the metrics, each written like this, with commas between."""
    return ", ".join(each.format(name) for name in METRICS)


COUNTS = "({upload}.reverted_at IS NULL OR {upload}.place > {upload}.reverted_at)"

REGION = {
    "first_ad_group": "min(greatest(a.first_ad_group, b.first_ad_group))",
    "last_ad_group": "max(least(a.last_ad_group, b.last_ad_group))",
    "first_date": "min(greatest(a.first_date, b.first_date))",
    "last_date": "max(least(a.last_date, b.last_date))",
}
"""Where keys may be that others count for, too: the ranges of dates and ad groups that hold all of them."""

_INSIDE = """
    (ad_group_id BETWEEN cast(:first_ad_group AS bigint) AND cast(:last_ad_group AS bigint)
     AND date BETWEEN cast(:first_date AS date) AND cast(:last_date AS date))
"""
ENTRIES_INSIDE = f"SELECT * FROM stat_entry WHERE attempt_id = :attempt_id AND {_INSIDE} IS NOT FALSE"
ENTRIES_OUTSIDE = f"SELECT * FROM stat_entry WHERE attempt_id = :attempt_id AND {_INSIDE} IS NOT TRUE"
"""Both are all entries where the ends of the region are NULL, so that the planner sees that there is no condition."""

# What else counts near the upload: in its range of dates and ad groups, so that a key may be in both. A fix has the
# place of the upload that it mends, so whatever has to do with fixes is left to the general rule.
STANDING = f"""
    SELECT a.id AS attempt_id, u.mode, a.rows_accepted,
           {", ".join(f"{end} FILTER (WHERE o.id IS NOT NULL) AS {name}" for name, end in REGION.items())},
           ({", ".join(REGION.values())}) = ({", ".join(f"a.{name}" for name in REGION)}) AS covered,
           u.fixes IS NULL AND NOT u.compacted AND {COUNTS.format(upload="u")}
               AND NOT EXISTS (SELECT FROM upload f WHERE f.fixes = u.id)
               AND count(*) FILTER (WHERE o.fixes IS NOT NULL) = 0 AS simple,
           count(o.id) AS near, current_setting('track_counts')::boolean AS counts,
           count(*) FILTER (WHERE (o.place, o.id) > (u.place, u.id)
                                  AND 'upsert' IN (u.mode, o.mode)) AS later
    FROM upload u JOIN attempt a ON a.id = u.attempt_id
    LEFT JOIN (upload o JOIN attempt b ON b.id = o.attempt_id)
           ON o.kind = u.kind AND o.id <> u.id AND {COUNTS.format(upload="o")}
          AND b.first_date <= a.last_date AND b.last_date >= a.first_date
          AND b.first_ad_group <= a.last_ad_group AND b.last_ad_group >= a.first_ad_group
    WHERE a.id = :attempt_id
    GROUP BY u.id, a.id
"""

# The same for an attempt that has not had its turn: what is complete and comes before it will count by then.
EXPECTED = f"""
    SELECT a.id AS attempt_id, a.rows_accepted,
           {", ".join(f"{end} FILTER (WHERE o.id IS NOT NULL) AS {name}" for name, end in REGION.items())},
           ({", ".join(REGION.values())}) = ({", ".join(f"a.{name}" for name in REGION)}) AS covered,
           u.kind = '{Kind.AD_GROUP_STATS}' AND u.attempt_id IS NULL AND u.fixes IS NULL AND u.reverted_at IS NULL
               AND NOT u.compacted AND NOT EXISTS (SELECT FROM upload f WHERE f.fixes = u.id)
               AND NOT EXISTS (SELECT FROM attempt s WHERE s.upload_id = u.id AND s.id <> a.id AND s.state = 'complete')
               AND count(*) FILTER (WHERE o.fixes IS NOT NULL
                                       OR (o.place, o.id) > (p.place, u.id) AND 'upsert' IN (u.mode, o.mode)) = 0
               AS simple,
           count(o.id) AS near
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    CROSS JOIN LATERAL (SELECT least(a.received_at, a.first_seen) AS place) p
    LEFT JOIN (upload o JOIN attempt b ON b.upload_id = o.id)
           ON o.kind = u.kind AND o.id <> u.id
          AND (b.id = o.attempt_id AND {COUNTS.format(upload="o")}
               OR b.state = 'complete' AND (least(b.received_at, b.first_seen), o.id) < (p.place, u.id))
          AND b.first_date <= a.last_date AND b.last_date >= a.first_date
          AND b.first_ad_group <= a.last_ad_group AND b.last_ad_group >= a.first_ad_group
    WHERE a.id = :attempt_id
    GROUP BY u.id, a.id, p.place
"""

DAYS = f"""
    SELECT coalesce(g.campaign_id, {UNATTRIBUTED}) AS campaign_id, date, {listed("sum({0}) AS {0}")}
    FROM ({{entries}}) e LEFT JOIN ad_group g USING (ad_group_id)
    GROUP BY 1, 2
"""
"""What entries come to, for each campaign and day."""

DELTA = f"""
    INSERT INTO day_delta (campaign_id, date, {listed("{}")}) {DAYS.format(entries=ENTRIES_OUTSIDE)}
"""
"""For entries that are added to whatever there was."""

TOUCH = f"""
    INSERT INTO touched_day
    SELECT DISTINCT coalesce(g.campaign_id, {UNATTRIBUTED}), date
    FROM ({ENTRIES_INSIDE}) e LEFT JOIN ad_group g USING (ad_group_id)
"""
"""For entries that replace what there was."""

WRITE_NEW = f"""
    INSERT INTO ad_group_stat ({KEY}, {listed("{}")})
    SELECT {KEY}, {listed("{}")} FROM ({ENTRIES_OUTSIDE}) e
"""
"""The entries lie in the order of their keys as it is, but for batches that overtook each other."""

_CHANGES = {
    Mode.UPSERT: f"({listed('s.{}')}) <> ({listed('e.{}')})",
    Mode.ADD: f"({listed('e.{}')}) <> (0, 0, 0, 0)",
}
_BECOMES = {Mode.UPSERT: "e.{0}", Mode.ADD: "s.{0} + e.{0}"}

# MERGE is not safe beside another writer of the table; whoever applies holds the appliers' lock.
WRITES = {
    mode: f"""
        MERGE INTO ad_group_stat s
        USING ({ENTRIES_INSIDE}) e
           ON s.ad_group_id = e.ad_group_id AND s.date = e.date AND s.device = e.device
        WHEN MATCHED AND {_CHANGES[mode]} THEN
            UPDATE SET {listed("{0} = " + _BECOMES[mode])}
        WHEN NOT MATCHED THEN
            INSERT ({KEY}, {listed("{}")})
            VALUES (e.ad_group_id, e.date, e.device, {listed("e.{}")})
    """
    for mode in Mode
}

# What the transaction has done so far; MERGE itself only tells the sum of both.
WRITTEN = """
    SELECT pg_stat_get_xact_tuples_inserted('ad_group_stat'::regclass) AS inserted,
           pg_stat_get_xact_tuples_updated('ad_group_stat'::regclass) AS updated
"""

# An ad group exists as soon as it has stats. Those that are described already have their row.
NEW_AD_GROUPS = """
    SELECT ad_group_id
    FROM (SELECT DISTINCT ad_group_id FROM stat_entry WHERE attempt_id = :attempt_id) e
    WHERE NOT EXISTS (SELECT FROM ad_group g WHERE g.ad_group_id = e.ad_group_id)
    ORDER BY ad_group_id
"""
ADD_THESE = "INSERT INTO ad_group (ad_group_id) SELECT unnest(cast(:ad_groups AS bigint[]))"
ADD_AD_GROUPS = f"INSERT INTO ad_group (ad_group_id) {NEW_AD_GROUPS}"
