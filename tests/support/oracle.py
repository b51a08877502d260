"""What the read API must answer, computed by DuckDB from the files alone."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

SIX = Decimal("0.000001")


def expected_campaigns(folder: Path) -> dict[int, dict[str, Any]]:
    """Return what `GET /campaigns` must say, by campaign id, from the three files in a folder."""
    rows = duckdb.execute(
        """
        WITH stats AS (FROM read_csv($1, types = {'cost': 'DECIMAL(38, 6)', 'conversions': 'DECIMAL(38, 6)'})),
        groups AS (FROM read_csv($2)),
        monthly AS (
            SELECT campaign_id, date_trunc('month', date) AS month, sum(cost) AS cost, sum(conversions) AS conversions
            FROM stats JOIN groups USING (ad_group_id) GROUP BY ALL
        )
        SELECT campaign_id, campaign_name, campaign_type,
               (SELECT count(*) FROM groups g WHERE g.campaign_id = c.campaign_id),
               (SELECT list(ad_group_name ORDER BY ad_group_name) FROM groups g WHERE g.campaign_id = c.campaign_id),
               sum(cost), count(*), sum(conversions)
        FROM read_csv($3) c JOIN monthly USING (campaign_id) GROUP BY ALL
        """,
        [str(folder / name) for name in ("ad_group_stats.csv", "ad_groups.csv", "campaigns.csv")],
    ).fetchall()
    return {
        row[0]: {
            "campaign_id": row[0],
            "campaign_name": row[1],
            "campaign_type": row[2],
            "num_ad_groups": row[3],
            "ad_group_names": row[4],
            "average_monthly_cost": ratio(row[5], row[6]),
            "average_cost_per_conversion": ratio(row[5], row[7]),
        }
        for row in rows
    }


def expected_series(folder: Path, step: str) -> list[dict[str, Any]]:
    """Return what `GET /performance-time-series` must say without filters."""
    rows = duckdb.execute(
        """
        SELECT strftime(date_trunc($3, date), '%Y-%m-%d') AS date, campaign_id, campaign_name,
               sum(cost), sum(clicks), sum(conversions), sum(impressions)
        FROM read_csv($1, types = {'cost': 'DECIMAL(38, 6)', 'conversions': 'DECIMAL(38, 6)'}) AS stats
        JOIN read_csv($2) AS groups USING (ad_group_id) JOIN read_csv($4) AS campaigns USING (campaign_id)
        GROUP BY ALL ORDER BY 1, 2
        """,
        [
            str(folder / "ad_group_stats.csv"),
            str(folder / "ad_groups.csv"),
            step,
            str(folder / "campaigns.csv"),
        ],
    ).fetchall()
    return [
        {
            "date": day,
            "campaign_id": campaign_id,
            "campaign_name": name,
            "total_cost": cost,
            "total_clicks": clicks,
            "total_conversions": conversions,
            "total_impressions": impressions,
            "avg_cost_per_click": ratio(cost, clicks),
            "avg_cost_per_conversion": ratio(cost, conversions),
            "avg_click_through_rate": ratio(clicks, impressions),
            "avg_conversion_rate": ratio(conversions, clicks),
        }
        for day, campaign_id, name, cost, clicks, conversions, impressions in rows
    ]


def ratio(dividend: Decimal | int, divisor: Decimal | int) -> Decimal | None:
    """Return a ratio to six decimals, half away from zero; None where the divisor is 0."""
    return (Decimal(dividend) / Decimal(divisor)).quantize(SIX, "ROUND_HALF_UP") if divisor else None
