"""The two endpoints about what happened when: a time series of campaigns, and a period beside the one before it."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Parameter
from sqlalchemy import RowMapping

from services.query.examples import COMPARISON, SERIES
from services.query.numbers import Totals, amount, change_in_percent, exact_metrics, quotient, rounded
from services.query.params import AggregateBy, CompareMode, Period, check_ids, check_order, period_before
from services.query.reader import Reader
from services.query.schemas import Change, Comparison, PeriodMetrics, Point
from shared.docs import answer, errors
from shared.tables import UNATTRIBUTED, UNATTRIBUTED_NAME

_SERIES = f"""
    SELECT date_trunc(:step, d.date)::date AS date, nullif(d.campaign_id, {UNATTRIBUTED}) AS campaign_id,
           CASE WHEN d.campaign_id = {UNATTRIBUTED} THEN '{UNATTRIBUTED_NAME}' ELSE c.name END AS campaign_name,
           sum(cost) AS cost, sum(clicks) AS clicks, sum(conversions) AS conversions, sum(impressions) AS impressions
    FROM campaign_day d LEFT JOIN campaign c USING (campaign_id)
    WHERE (cast(:start AS date) IS NULL OR d.date >= :start) AND (cast(:end AS date) IS NULL OR d.date <= :end)
      AND (cast(:campaign_ids AS bigint[]) IS NULL OR d.campaign_id = ANY(:campaign_ids))
    GROUP BY 1, 2, 3
    ORDER BY 1, 2 NULLS LAST
"""

_COMPARISON = """
    SELECT period.name, coalesce(sum(cost), 0) AS cost, coalesce(sum(clicks), 0) AS clicks,
           coalesce(sum(conversions), 0) AS conversions, coalesce(sum(impressions), 0) AS impressions
    FROM (VALUES ('before', cast(:before_start AS date), cast(:before_end AS date)),
                 ('current', cast(:start AS date), cast(:end AS date))) AS period (name, first_day, last_day)
    LEFT JOIN campaign_day d ON d.date BETWEEN period.first_day AND period.last_day
    GROUP BY period.name
"""

_FIRST = Example(value="2025-02-01")
_LAST = Example(value="2025-02-28")

StartDate = Annotated[
    date | None,
    Parameter(description="The first day, `YYYY-MM-DD`; when left out, the first with data.", examples=[_FIRST]),
]
EndDate = Annotated[
    date | None,
    Parameter(description="The last day, inclusive; when left out, the last with data.", examples=[_LAST]),
]
CampaignIds = Annotated[
    list[int] | None,
    Parameter(
        description="Only these campaigns, `campaign_ids=1&campaign_ids=2`; when left out, all and `Unattributed`.",
        examples=[Example(value=[30517264981])],
    ),
]


@get(
    "/performance-time-series",
    tags=["Performance"],
    summary="How campaigns did, step by step",
    responses=answer(HTTPStatus.OK, list[Point], "Ordered by date, then by campaign id.", SERIES)
    | errors(
        BAD_REQUEST="aggregate_by: Invalid enum value 'year'. Use one of: day, week, month.",
        SERVICE_UNAVAILABLE="The database does not answer. Try again.",
    ),
)
async def performance_time_series(
    reader: NamedDependency[Reader],
    aggregate_by: Annotated[
        AggregateBy,
        Parameter(description="How wide a step is; weeks begin on Monday.", examples=[Example(value="month")]),
    ],
    campaign_ids: CampaignIds = None,
    start_date: StartDate = None,
    end_date: EndDate = None,
) -> list[Point]:
    """Return each campaign's totals and averages for each day, ISO week or month in which it has data.

    A week or month that the range cuts off counts only its days within the range.
    """
    check_order(start_date, end_date)
    check_ids(campaign_ids or [])
    rows = await reader.fetch(
        _SERIES,
        {"step": aggregate_by, "start": start_date, "end": end_date, "campaign_ids": campaign_ids},
    )
    return [_point(row) for row in rows]


def _point(row: RowMapping) -> Point:
    totals = _totals(row)
    return Point(
        date=row["date"],
        campaign_id=row["campaign_id"],
        campaign_name=row["campaign_name"],
        total_cost=amount(totals.cost),
        total_clicks=totals.clicks,
        total_conversions=amount(totals.conversions),
        total_impressions=totals.impressions,
        avg_cost_per_click=quotient(totals.cost, totals.clicks * 10**6),
        avg_cost_per_conversion=quotient(totals.cost, totals.conversions),
        avg_click_through_rate=quotient(totals.clicks, totals.impressions),
        avg_conversion_rate=quotient(totals.conversions, totals.clicks * 10**6),
    )


@get(
    "/compare-performance",
    tags=["Performance"],
    summary="A period beside the one before it",
    responses=answer(HTTPStatus.OK, Comparison, "Both periods and the change.", COMPARISON)
    | errors(
        BAD_REQUEST="end_date: 2025-01-01 is before start_date 2025-02-01; swap them.",
        SERVICE_UNAVAILABLE="The database does not answer. Try again.",
    ),
)
async def compare_performance(
    reader: NamedDependency[Reader],
    start_date: Annotated[date, Parameter(description="The first day, `YYYY-MM-DD`.", examples=[_FIRST])],
    end_date: Annotated[date, Parameter(description="The last day, inclusive, `YYYY-MM-DD`.", examples=[_LAST])],
    compare_mode: Annotated[
        CompareMode,
        Parameter(
            description="`preceding`: as many days just before; `previous_month`: the same dates a month earlier, "
            "or for whole months as many whole months before.",
            examples=[Example(value="previous_month")],
        ),
    ],
) -> Comparison:
    """Compare what all campaigns did in a period with what they did in the period before it.

    A period without data has totals of 0; a ratio is null where its divisor is 0, and a change is null where there
    is nothing to compare with.
    """
    check_order(start_date, end_date)
    current = Period(start_date, end_date)
    before = period_before(current, compare_mode)
    rows = await reader.fetch(
        _COMPARISON,
        {"start": current.start, "end": current.end, "before_start": before.start, "before_end": before.end},
    )
    return _comparison(before, current, rows)


def _comparison(before: Period, current: Period, rows: Sequence[RowMapping]) -> Comparison:
    exact = {row["name"]: exact_metrics(_totals(row)) for row in rows}
    changes = {
        name: rounded(change_in_percent(value, exact["current"][name])) for name, value in exact["before"].items()
    }
    return Comparison(
        before_period=_period_metrics(before, exact["before"]),
        current_period=_period_metrics(current, exact["current"]),
        change_in_percentage=Change(**changes),
    )


def _period_metrics(period: Period, exact: dict[str, Any]) -> PeriodMetrics:
    metrics: dict[str, Any] = {name: rounded(value) for name, value in exact.items()}
    whole = {name: int(exact[name]) for name in ("total_clicks", "total_impressions")}
    return PeriodMetrics(start_date=period.start, end_date=period.end, **(metrics | whole))


def _totals(row: RowMapping) -> Totals:
    return Totals(
        cost=int(row["cost"]),
        clicks=int(row["clicks"]),
        conversions=int(row["conversions"]),
        impressions=int(row["impressions"]),
    )
