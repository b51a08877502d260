"""The SQL of the fast paths: what an upload's entries do to the current stats when nothing later is in their way.

`day_delta` gets, for each campaign and day, by how much the upload moves its sums, and how many keys are new or
change; then the entries are written. Sums of whole numbers can be moved by differences without ever drifting.
"""

from shared.messages import Mode
from shared.tables import UNATTRIBUTED

_METRICS = ("impressions", "clicks", "conversions", "cost")
_KEY = "ad_group_id, date, device"

_COUNTS = "({upload}.reverted_at IS NULL OR {upload}.place > {upload}.reverted_at)"

# What else counts near the upload: in its range of dates and ad groups, so that a key may be in both. A fix has the
# place of the upload that it mends, so whatever has to do with fixes is left to the general rule.
STANDING = f"""
    SELECT u.mode, a.rows_accepted,
           u.fixes IS NULL AND {_COUNTS.format(upload="u")}
               AND NOT EXISTS (SELECT FROM upload f WHERE f.fixes = u.id)
               AND count(*) FILTER (WHERE o.fixes IS NOT NULL) = 0 AS simple,
           count(o.id) AS near,
           count(*) FILTER (WHERE (o.place, o.id) > (u.place, u.id)
                                  AND 'upsert' IN (u.mode, o.mode)) AS later
    FROM upload u JOIN attempt a ON a.id = u.attempt_id
    LEFT JOIN (upload o JOIN attempt b ON b.id = o.attempt_id)
           ON o.kind = u.kind AND o.id <> u.id AND {_COUNTS.format(upload="o")}
          AND b.first_date <= a.last_date AND b.last_date >= a.first_date
          AND b.first_ad_group <= a.last_ad_group AND b.last_ad_group >= a.first_ad_group
    WHERE a.id = :attempt_id
    GROUP BY u.id, a.id
"""

_BEFORE = f"LEFT JOIN ad_group_stat s USING ({_KEY})"


def _delta(moves: str, new: str, changed: str, before: str = "") -> str:
    sums = ", ".join(f"sum({moves.format(name)})" for name in _METRICS)
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


def _values(side: str) -> str:
    return ", ".join(f"{side}.{name}" for name in _METRICS)


_NEW = "count(*) FILTER (WHERE s.date IS NULL)"
_CHANGES = {
    Mode.UPSERT: f"({_values('s')}) IS DISTINCT FROM ({_values('e')})",
    Mode.ADD: f"({_values('e')}) <> (0, 0, 0, 0)",
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
    INSERT INTO ad_group_stat ({_KEY}, {", ".join(_METRICS)})
    SELECT {_KEY}, {", ".join(_METRICS)} FROM stat_entry WHERE attempt_id = :attempt_id ORDER BY {_KEY}
"""

# MERGE is not safe beside another writer of the table; whoever applies holds the appliers' lock.
WRITES = {
    mode: f"""
        MERGE INTO ad_group_stat s
        USING (SELECT * FROM stat_entry WHERE attempt_id = :attempt_id) e
           ON s.ad_group_id = e.ad_group_id AND s.date = e.date AND s.device = e.device
        WHEN MATCHED AND {_CHANGES[mode]} THEN
            UPDATE SET {", ".join(f"{name} = {_BECOMES[mode].format(name)}" for name in _METRICS)}
        WHEN NOT MATCHED THEN
            INSERT ({_KEY}, {", ".join(_METRICS)})
            VALUES (e.ad_group_id, e.date, e.device, {_values("e")})
    """
    for mode in Mode
}

# An ad group exists as soon as it has stats. Those that are described already have their row.
NEW_AD_GROUPS = """
    INSERT INTO ad_group (ad_group_id)
    SELECT DISTINCT ad_group_id FROM stat_entry WHERE attempt_id = :attempt_id ORDER BY ad_group_id
    ON CONFLICT DO NOTHING
"""
