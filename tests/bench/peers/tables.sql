-- The tables of all peers, of the natural types.
CREATE TABLE campaign (campaign_id bigint PRIMARY KEY, campaign_name text, campaign_type text);
CREATE TABLE ad_group (ad_group_id bigint PRIMARY KEY, ad_group_name text, campaign_id bigint REFERENCES campaign);
CREATE INDEX ON ad_group (campaign_id);
CREATE TABLE stats (
    date date, ad_group_id bigint, device text,
    impressions bigint NOT NULL, clicks bigint NOT NULL, conversions numeric NOT NULL, cost numeric NOT NULL,
    PRIMARY KEY (ad_group_id, date, device)
);
CREATE TABLE staging (
    date date, ad_group_id bigint, device text, impressions bigint, clicks bigint, conversions numeric, cost numeric
);
