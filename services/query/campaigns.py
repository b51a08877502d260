"""`GET /campaigns`: what there is, and what it costs."""

from http import HTTPStatus

import msgspec
from litestar import get
from litestar.di import NamedDependency

from services.query.columns import Columns, Make
from services.query.examples import CAMPAIGNS
from services.query.facts import Facts, Listed, versioned
from services.query.numbers import MICROS, shown_ratios
from services.query.schemas import Campaign
from shared.docs import answer, errors
from shared.tables import UNATTRIBUTED, UNATTRIBUTED_NAME

_NAMES = msgspec.json.Decoder(list[str])
_WHOLE = ("num_ad_groups", "cost", "conversions", "months")
_OTHERS = ("campaign_id", "name", "type", "ad_group_names")

_QUERY = f"""
    WITH grouped AS (
        SELECT coalesce(campaign_id, {UNATTRIBUTED}) AS campaign_id, count(*) AS num_ad_groups,
               json_agg(coalesce(name, ad_group_id::text) ORDER BY name, ad_group_id)::text AS ad_group_names
        FROM ad_group GROUP BY 1
    ),
    spent AS (
        SELECT campaign_id, sum(cost) AS cost, sum(conversions) AS conversions, count(*) AS months
        FROM campaign_month GROUP BY campaign_id
    ),
    listed AS (
        SELECT campaign_id, name, type FROM campaign
        UNION ALL
        SELECT {UNATTRIBUTED}, '{UNATTRIBUTED_NAME}', NULL
        WHERE EXISTS (SELECT FROM ad_group WHERE campaign_id IS NULL)
    )
    SELECT nullif(campaign_id, {UNATTRIBUTED}) AS campaign_id, name, type,
           coalesce(num_ad_groups, 0) AS num_ad_groups, coalesce(ad_group_names, '[]') AS ad_group_names,
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
async def list_campaigns(facts: NamedDependency[Facts]) -> list[Campaign]:
    """Return each campaign with its ad groups, its mean cost over the months with data, and its cost per conversion.

    `Unattributed` holds the ad groups that have stats but no campaign yet, and is absent when there are none.
    """
    return await facts.answer(_CAMPAIGNS, versioned(Listed(_QUERY, _WHOLE, _OTHERS)))


def _campaigns(columns: Columns) -> list[Campaign]:
    ad_groups, cost, conversions, months, *told, names = columns
    decoded = map(_NAMES.decode, names)
    monthly, per_conversion = shown_ratios(cost, months, unit=MICROS), shown_ratios(cost, conversions)
    return list(map(Campaign, *told, ad_groups, decoded, monthly, per_conversion))


_CAMPAIGNS = Make(lambda _: _campaigns, len((*_WHOLE, *_OTHERS)))
