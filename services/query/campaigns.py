"""`GET /campaigns`: what there is, and what it costs."""

from http import HTTPStatus

from litestar import get
from litestar.di import NamedDependency
from sqlalchemy import RowMapping

from services.query.examples import CAMPAIGNS
from services.query.numbers import quotient
from services.query.reader import Reader
from services.query.schemas import Campaign
from shared.docs import answer, errors
from shared.tables import UNATTRIBUTED, UNATTRIBUTED_NAME

_CAMPAIGNS = f"""
    WITH grouped AS (
        SELECT coalesce(campaign_id, {UNATTRIBUTED}) AS campaign_id, count(*) AS num_ad_groups,
               array_agg(coalesce(name, ad_group_id::text) ORDER BY name, ad_group_id) AS ad_group_names
        FROM ad_group GROUP BY 1
    ),
    spent AS (
        SELECT campaign_id, sum(cost) AS cost, sum(conversions) AS conversions,
               count(DISTINCT date_trunc('month', date)) AS months
        FROM campaign_day GROUP BY campaign_id
    ),
    listed AS (
        SELECT campaign_id, name, type FROM campaign
        UNION ALL
        SELECT {UNATTRIBUTED}, '{UNATTRIBUTED_NAME}', NULL
        WHERE EXISTS (SELECT FROM ad_group WHERE campaign_id IS NULL)
    )
    SELECT nullif(campaign_id, {UNATTRIBUTED}) AS campaign_id, name, type,
           coalesce(num_ad_groups, 0) AS num_ad_groups, coalesce(ad_group_names, ARRAY[]::text[]) AS ad_group_names,
           coalesce(cost, 0) AS cost, coalesce(conversions, 0) AS conversions, coalesce(months, 0) AS months
    FROM listed LEFT JOIN grouped USING (campaign_id) LEFT JOIN spent USING (campaign_id)
    ORDER BY 1 NULLS LAST
"""


@get(
    "/campaigns",
    tags=["Campaigns"],
    summary="All campaigns",
    responses=answer(HTTPStatus.OK, list[Campaign], "Ordered by id, `Unattributed` last.", CAMPAIGNS)
    | errors(SERVICE_UNAVAILABLE="The database does not answer. Try again."),
)
async def list_campaigns(reader: NamedDependency[Reader]) -> list[Campaign]:
    """Return each campaign with its ad groups, its mean cost over the months with data, and its cost per conversion.

    `Unattributed` holds the ad groups that have stats but no campaign yet, and is absent when there are none.
    """
    return [_campaign(row) for row in await reader.fetch(_CAMPAIGNS)]


def _campaign(row: RowMapping) -> Campaign:
    cost, conversions = int(row["cost"]), int(row["conversions"])
    return Campaign(
        campaign_id=row["campaign_id"],
        campaign_name=row["name"],
        campaign_type=row["type"],
        num_ad_groups=row["num_ad_groups"],
        ad_group_names=row["ad_group_names"],
        average_monthly_cost=quotient(cost, row["months"] * 10**6),
        average_cost_per_conversion=quotient(cost, conversions),
    )
