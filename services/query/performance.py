"""The two endpoints about what happened when: a time series of campaigns, and a period beside the one before it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache, partial
from http import HTTPStatus
from itertools import count, repeat
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Parameter

from services.query.columns import Columns, Make, whole
from services.query.examples import COMPARISON, SERIES
from services.query.facts import Facts, Listed, versioned
from services.query.numbers import MICROS, Totals, change_in_percent, exact_metrics, rounded, shown, shown_ratios
from services.query.params import (
    AggregateBy,
    CompareMode,
    Period,
    Piece,
    check_ids,
    check_order,
    period_before,
    pieces,
)
from services.query.schemas import Change, Comparison, PeriodMetrics, Point
from shared.docs import answer, errors
from shared.tables import UNATTRIBUTED, UNATTRIBUTED_NAME

METRICS = ("cost", "clicks", "conversions", "impressions")
_DAY = "date - date '0001-01-01' + 1"
"""A day as Python counts them."""
_SUMMED = ", ".join(f"sum({name}) AS {name}" for name in METRICS)

_NAMES = "SELECT campaign_id, name FROM campaign"
_ONE = "campaign_id = $1"
"""For this, other than for the next, an index gives the days in their order."""
_SOME = "campaign_id = ANY($1)"

_COMPARISON = versioned(
    Listed(
        f"""
        SELECT {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in METRICS)}
        FROM (VALUES (1, $1::date, $2::date), (2, $3::date, $4::date)) AS period (number, first_day, last_day)
        LEFT JOIN total_day d ON d.date BETWEEN period.first_day AND period.last_day
        GROUP BY number ORDER BY number
        """,
        METRICS,
    )
)

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
    facts: NamedDependency[Facts],
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
    parts = pieces(aggregate_by, start_date, end_date)
    ends = [day for part in parts for day in (part.first, part.last)]
    match campaign_ids or []:
        case [campaign_id]:
            make = Make(partial(_of_one, campaign_id), 1 + len(METRICS))
            return await facts.answer(make, _series(aggregate_by, parts, _ONE), campaign_id, *ends)
        case []:
            return await facts.answer(_SEVERAL, _series(aggregate_by, parts, None), *ends)
        case several:
            return await facts.answer(_SEVERAL, _series(aggregate_by, parts, _SOME), several, *ends)


def _series(step: AggregateBy, parts: Sequence[Piece], only: str | None) -> str:
    """Return the statement for a series; its values are that of the condition `only`, if any, and the parts' ends.

    It has a column of campaigns, unless there is but one.
    """
    rows = " UNION ALL ".join(
        f"SELECT date, campaign_id, {', '.join(METRICS)} FROM campaign_{part.step} "
        f"WHERE date BETWEEN ${first} AND ${first + 1} {f'AND {only}' if only else ''}"
        for first, part in zip(count(2 if only else 1, 2), parts, strict=False)
    )
    if [part.step for part in parts] != [step]:
        rows = f"SELECT date_trunc('{step}', date)::date AS date, campaign_id, {_SUMMED} FROM ({rows}) p GROUP BY 1, 2"
    order = "date" if only == _ONE else f"date, nullif(campaign_id, {UNATTRIBUTED})"
    keys = (_DAY,) if only == _ONE else (_DAY, "campaign_id")
    ordered = Listed(
        f"SELECT date, campaign_id, {', '.join(METRICS)} FROM ({rows}) s ORDER BY {order}", (*keys, *METRICS)
    )
    names = f"{_NAMES} WHERE {only}" if only else _NAMES
    return versioned(ordered, Listed(names, ("campaign_id",), ("name",)))


def _of_one(campaign_id: int, others: Columns) -> Callable[[Columns], list[Point]]:
    _, names = others
    name = names[0] if names else None

    def points(rows: Columns) -> list[Point]:
        days, *sums = rows
        return _points(days, repeat(campaign_id), repeat(name), sums)

    return points


def _of_several(others: Columns) -> Callable[[Columns], list[Point]]:
    called = dict(zip(*others, strict=True)) | {UNATTRIBUTED: UNATTRIBUTED_NAME}

    def points(rows: Columns) -> list[Point]:
        days, campaigns, *sums = rows
        shown_ids = [None if each == UNATTRIBUTED else each for each in campaigns]
        return _points(days, shown_ids, map(called.get, campaigns), sums)

    return points


_SEVERAL = Make(_of_several, 2 + len(METRICS))

_day = lru_cache(maxsize=10_000)(date.fromordinal)


def _points(days: Sequence[int], ids: Iterable[int | None], names: Iterable[str | None], sums: Columns) -> list[Point]:
    """Return the points of a series, whose numbers are worked out column by column: that takes a third less time."""
    return list(map(Point, map(_day, days), ids, names, *_numbers(*map(list, sums))))


def _numbers(cost: list[int], clicks: list[int], conversions: list[int], impressions: list[int]) -> tuple[Any, ...]:
    """Return the numbers of points, in the order of their fields."""
    return (
        shown(cost),
        clicks,
        shown(conversions),
        impressions,
        shown_ratios(cost, clicks, unit=MICROS),
        shown_ratios(cost, conversions),
        shown_ratios(clicks, impressions),
        shown_ratios(conversions, clicks, unit=MICROS),
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
    facts: NamedDependency[Facts],
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
    make = whole(partial(_comparison, (before, current)))
    return await facts.answer(make, _COMPARISON, before.start, before.end, current.start, current.end)


def _comparison(periods: Sequence[Period], columns: Columns) -> Comparison:
    before, current = (exact_metrics(Totals(*values)) for values in zip(*columns, strict=True))
    changes = {name: rounded(change_in_percent(value, current[name])) for name, value in before.items()}
    return Comparison(
        before_period=_period_metrics(periods[0], before),
        current_period=_period_metrics(periods[1], current),
        change_in_percentage=Change(**changes),
    )


def _period_metrics(period: Period, exact: dict[str, Any]) -> PeriodMetrics:
    metrics: dict[str, Any] = {name: rounded(value) for name, value in exact.items()}
    whole = {name: int(exact[name]) for name in ("total_clicks", "total_impressions")}
    return PeriodMetrics(start_date=period.start, end_date=period.end, **(metrics | whole))
