"""The SQL of the fast paths: what an upload's entries do to the current stats when nothing later is in their way.

`day_delta` gets, for each campaign and day, by how much the upload moves its sums, and how many keys are new or
change; then the entries are written. Sums of whole numbers can be moved by differences without ever drifting.
"""

from shared.messages import Mode
from shared.tables import UNATTRIBUTED

METRICS = ("impressions", "clicks", "conversions", "cost")
KEY = "ad_group_id, date, device"


def listed(each: str) -> str:
    """Return the metrics, each written like this, with commas between."""
    return ", ".join(each.format(name) for name in METRICS)


COUNTS = "({upload}.reverted_at IS NULL OR {upload}.place > {upload}.reverted_at)"

# What else counts near the upload: in its range of dates and ad groups, so that a key may be in both. A fix has the
# place of the upload that it mends, so whatever has to do with fixes is left to the general rule.
STANDING = f"""
    SELECT u.mode, a.rows_accepted,
           u.fixes IS NULL AND {COUNTS.format(upload="u")}
               AND NOT EXISTS (SELECT FROM upload f WHERE f.fixes = u.id)
               AND count(*) FILTER (WHERE o.fixes IS NOT NULL) = 0 AS simple,
           count(o.id) AS near,
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

_BEFORE = f"LEFT JOIN ad_group_stat s USING ({KEY})"


def _delta(moves: str, new: str, changed: str, before: str = "") -> str:
    sums = listed(f"sum({moves})")
    return f"""
        WITH delta AS (
            INSERT INTO day_delta
            SELECT attempt_id, coalesce(g.campaign_id, {UNATTRIBUTED}), date, {sums}, {new}, {changed}
            FROM stat_entry e LEFT JOIN ad_group g USING (ad_group_id) {before}
            WHERE attempt_id = :attempt_id
            GROUP BY 1, 2, 3
            RETURNING campaign_id, new, changed
        )
        SELECT coalesce(sum(new), 0)::bigint AS new, coalesce(sum(changed), 0)::bigint AS changed,
               bool_or(campaign_id = {UNATTRIBUTED}) AS unattributed
        FROM delta
    """


_NEW = "count(*) FILTER (WHERE s.date IS NULL)"
_CHANGES = {
    Mode.UPSERT: f"({listed('s.{}')}) IS DISTINCT FROM ({listed('e.{}')})",
    Mode.ADD: f"({listed('e.{}')}) <> (0, 0, 0, 0)",
}
_BECOMES = {Mode.UPSERT: "e.{0}", Mode.ADD: "s.{0} + e.{0}"}

DELTA_OF_NEW = _delta("e.{0}", "count(*)", "0")
"""For an upload none of whose keys has a value yet."""

DELTAS = {
    mode: _delta(moves, _NEW, f"count(*) FILTER (WHERE s.date IS NOT NULL AND {_CHANGES[mode]})", _BEFORE)
    for mode, moves in {Mode.UPSERT: "(e.{0} - coalesce(s.{0}, 0))", Mode.ADD: "e.{0}"}.items()
}
"""For an upload that is the latest word (`upsert`) or one more of them (`add`) on keys that may have a value."""

WRITE_NEW = f"""
    INSERT INTO ad_group_stat ({KEY}, {listed("{}")})
    SELECT {KEY}, {listed("{}")} FROM stat_entry WHERE attempt_id = :attempt_id ORDER BY {KEY}
"""

# MERGE is not safe beside another writer of the table; whoever applies holds the appliers' lock.
WRITES = {
    mode: f"""
        MERGE INTO ad_group_stat s
        USING (SELECT * FROM stat_entry WHERE attempt_id = :attempt_id) e
           ON s.ad_group_id = e.ad_group_id AND s.date = e.date AND s.device = e.device
        WHEN MATCHED AND {_CHANGES[mode]} THEN
            UPDATE SET {listed("{0} = " + _BECOMES[mode])}
        WHEN NOT MATCHED THEN
            INSERT ({KEY}, {listed("{}")})
            VALUES (e.ad_group_id, e.date, e.device, {listed("e.{}")})
    """
    for mode in Mode
}

# An ad group exists as soon as it has stats. Those that are described already have their row.
NEW_AD_GROUPS = """
    INSERT INTO ad_group (ad_group_id)
    SELECT DISTINCT ad_group_id FROM stat_entry WHERE attempt_id = :attempt_id ORDER BY ad_group_id
    ON CONFLICT DO NOTHING
"""
