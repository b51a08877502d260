-- The textbook way with psql: \copy into a staging table, then one upsert into a table of the natural types.
TRUNCATE staging;
\copy staging FROM pstdin WITH (FORMAT csv, HEADER)
INSERT INTO stats (date, ad_group_id, device, impressions, clicks, conversions, cost)
SELECT date, ad_group_id, device, sum(impressions), sum(clicks), sum(conversions), sum(cost)
FROM staging
GROUP BY date, ad_group_id, device
ON CONFLICT (date, ad_group_id, device) DO UPDATE
SET impressions = excluded.impressions, clicks = excluded.clicks,
    conversions = excluded.conversions, cost = excluded.cost;
