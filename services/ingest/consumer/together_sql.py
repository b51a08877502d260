"""The SQL of applying several small uploads at once: their entries in order, key by key, over the current stats.

Parameters: `attempts`, the attempts in the order of their places, none of which has counted before.
"""

from services.ingest.consumer.fast_sql import COUNTS, KEY, listed
from shared.tables import UNATTRIBUTED

# Whether each of the attempts may be applied together with those before it, as far as all others are concerned.
ELIGIBLE = f"""
    SELECT a.id
    FROM attempt a JOIN upload u ON u.id = a.upload_id,
         LATERAL (SELECT least(a.received_at, a.first_seen) AS place) p
    WHERE a.id = ANY(:attempts)
      AND (a.currency IS NULL OR a.currency = (SELECT currency FROM dataset))
      AND NOT u.compacted AND p.place >= coalesce((SELECT compacted_before FROM dataset), '-infinity')
      AND u.attempt_id IS NULL AND u.fixes IS NULL AND (u.reverted_at IS NULL OR p.place > u.reverted_at)
      AND NOT EXISTS (SELECT FROM upload f WHERE f.fixes = u.id)
      AND NOT EXISTS (SELECT FROM attempt b WHERE b.upload_id = u.id AND b.id <> a.id AND b.id = ANY(:attempts))
      AND NOT EXISTS (
          SELECT FROM upload o JOIN attempt b ON b.id = o.attempt_id
          WHERE o.kind = u.kind AND {COUNTS.format(upload="o")}
            AND b.first_date <= a.last_date AND b.last_date >= a.first_date
            AND b.first_ad_group <= a.last_ad_group AND b.last_ad_group >= a.first_ad_group
            AND (o.fixes IS NOT NULL OR (o.place, o.id) > (p.place, u.id) AND 'upsert' IN (u.mode, o.mode))
      )
"""

TOTALS_DIFFER = f"""
    SELECT EXISTS (
        SELECT FROM attempt a
        LEFT JOIN (
            SELECT attempt_id, count(*) AS rows, {listed("sum({0}) AS {0}")}
            FROM stat_entry WHERE attempt_id = ANY(:attempts) GROUP BY attempt_id
        ) e ON e.attempt_id = a.id
        WHERE a.id = ANY(:attempts)
          AND (a.rows_accepted, {listed("a.total_{}")})
              IS DISTINCT FROM (coalesce(e.rows, 0), {listed("coalesce(e.{}, 0)")})
    )
"""

SPEAK = """
    UPDATE upload u SET attempt_id = a.id, place = least(a.received_at, a.first_seen)
    FROM attempt a WHERE a.id = ANY(:attempts) AND u.id = a.upload_id
"""

_THEN = listed(
    "((CASE WHEN base IS NULL THEN coalesce(s.{0}, 0) ELSE 0 END) + sum(e.{0}) OVER since_base)::bigint AS {0}"
)
_BEFORE = listed("coalesce(lag({0}) OVER by_place, was_{0})")

# Of a key's entries, those from the latest upsert on make its value; without one, what there was before and all.
COLLECT = f"""
    INSERT INTO incoming_stat
    WITH entry AS (
        SELECT e.*, m.place, max(m.place) FILTER (WHERE u.mode = 'upsert') OVER by_place AS base
        FROM stat_entry e
        JOIN unnest(cast(:attempts AS bigint[])) WITH ORDINALITY AS m (attempt_id, place) USING (attempt_id)
        JOIN upload u ON u.attempt_id = m.attempt_id
        WHERE e.attempt_id = ANY(:attempts)
        WINDOW by_place AS (PARTITION BY {KEY} ORDER BY m.place)
    ),
    valued AS (
        SELECT {KEY}, e.attempt_id, place, {_THEN}, {listed("s.{0} AS was_{0}")}
        FROM entry e LEFT JOIN ad_group_stat s USING ({KEY})
        WINDOW since_base AS (PARTITION BY {KEY}, base ORDER BY place)
    )
    SELECT attempt_id, {KEY}, {listed("{}")}, {_BEFORE}, lead(place) OVER by_place IS NULL
    FROM valued
    WINDOW by_place AS (PARTITION BY {KEY} ORDER BY place)
"""

COUNT = f"""
    UPDATE attempt a
    SET state = 'applied', keys_new = coalesce(i.new, 0), keys_changed = coalesce(i.changed, 0)
    FROM unnest(cast(:attempts AS bigint[])) AS m (attempt_id)
    LEFT JOIN (
        SELECT attempt_id, count(*) FILTER (WHERE was_cost IS NULL) AS new,
               count(*) FILTER (WHERE was_cost IS NOT NULL AND ({listed("{}")}) <> ({listed("was_{}")})) AS changed
        FROM incoming_stat GROUP BY attempt_id
    ) i USING (attempt_id)
    WHERE a.id = m.attempt_id
"""

DELTA = f"""
    INSERT INTO day_delta (campaign_id, date, impressions, clicks, conversions, cost)
    SELECT coalesce(g.campaign_id, {UNATTRIBUTED}), date,
           {listed("sum({0} - coalesce(was_{0}, 0))")}
    FROM incoming_stat LEFT JOIN ad_group g USING (ad_group_id)
    GROUP BY 1, 2
"""

WRITE = f"""
    INSERT INTO ad_group_stat AS s ({KEY}, {listed("{}")})
    SELECT {KEY}, {listed("{}")} FROM incoming_stat WHERE is_last ORDER BY {KEY}
    ON CONFLICT ({KEY}) DO UPDATE SET {listed("{0} = excluded.{0}")}
    WHERE ({listed("s.{}")}) <> ({listed("excluded.{}")})
"""

NEW_AD_GROUPS = """
    INSERT INTO ad_group (ad_group_id)
    SELECT DISTINCT ad_group_id FROM incoming_stat i
    WHERE NOT EXISTS (SELECT FROM ad_group g WHERE g.ad_group_id = i.ad_group_id)
    ORDER BY ad_group_id
"""
