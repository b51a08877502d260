"""What the read endpoints answer about a small dataset whose numbers can be checked by hand."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, problem, send

SERIES = "/performance-time-series"
COMPARISON = "/compare-performance"
LARGEST = 2**63 - 1

CAMPAIGN_LINES = ("20,Beta,DISPLAY", "10,Alpha,SEARCH", f"{LARGEST},Last,")
GROUP_LINES = ("101,Zebra,10", "102,Ant,10", "103,Mango,30")
STAT_LINES = (
    "2024-12-29,101,MOBILE,100,10,4,1",
    "2024-12-30,101,MOBILE,100,10,2,3",
    "2024-12-31,102,DESKTOP,100,0,0,0.5",
    "2025-01-05,101,TABLET,300,20,1,7",
    "2025-01-06,101,MOBILE,0,0,0,2",
    "2025-01-06,103,MOBILE,3,1,0.5,0.000001",
    "2025-02-28,999,MOBILE,50,5,0,10",
    "2025-02-28,103,MOBILE,7,3,0,2",
)


@pytest.fixture(scope="module", autouse=True)
def dataset(http: httpx.Client) -> None:
    assert exactly(http.get("/campaigns")) == []
    assert exactly(http.get(SERIES, params={"aggregate_by": "day"})) == []
    for header, lines in ((STATS, STAT_LINES), (AD_GROUPS, GROUP_LINES), (CAMPAIGNS, CAMPAIGN_LINES)):
        assert send(http, csv_of(header, *lines))["rows_rejected"] == 0


def series(http: httpx.Client, step: str, **filters: Any) -> list[tuple[Any, ...]]:
    """Date, campaign, cost and clicks of each point."""
    points = exactly(http.get(SERIES, params={"aggregate_by": step, **filters}))
    return [(point["date"], point["campaign_id"], point["total_cost"], point["total_clicks"]) for point in points]


def test_campaigns_are_listed_by_id_with_unattributed_last(http: httpx.Client) -> None:
    listed = exactly(http.get("/campaigns"))
    assert [(campaign["campaign_id"], campaign["campaign_name"], campaign["campaign_type"]) for campaign in listed] == [
        (10, "Alpha", "SEARCH"),
        (20, "Beta", "DISPLAY"),
        (30, None, None),
        (LARGEST, "Last", None),
        (None, "Unattributed", None),
    ]


def test_ad_groups_are_counted_and_named_in_order_and_by_their_id_when_nobody_named_them(http: httpx.Client) -> None:
    groups = {each["campaign_id"]: each["ad_group_names"] for each in exactly(http.get("/campaigns"))}
    assert groups == {10: ["Ant", "Zebra"], 20: [], 30: ["Mango"], LARGEST: [], None: ["999"]}
    assert [each["num_ad_groups"] for each in exactly(http.get("/campaigns"))] == [2, 0, 1, 0, 1]


def test_average_monthly_cost_is_the_mean_over_months_with_data(http: httpx.Client) -> None:
    means = {each["campaign_id"]: each["average_monthly_cost"] for each in exactly(http.get("/campaigns"))}
    assert means == {10: Decimal("6.75"), 20: None, 30: Decimal("1.000001"), LARGEST: None, None: 10}


def test_cost_per_conversion_is_of_the_totals_and_null_without_conversions(http: httpx.Client) -> None:
    ratios = {each["campaign_id"]: each["average_cost_per_conversion"] for each in exactly(http.get("/campaigns"))}
    assert ratios == {10: Decimal("1.928571"), 20: None, 30: Decimal("4.000002"), LARGEST: None, None: None}


def test_days_are_ordered_by_date_then_campaign_with_unattributed_last(http: httpx.Client) -> None:
    assert series(http, "day") == [
        ("2024-12-29", 10, 1, 10),
        ("2024-12-30", 10, 3, 10),
        ("2024-12-31", 10, Decimal("0.5"), 0),
        ("2025-01-05", 10, 7, 20),
        ("2025-01-06", 10, 2, 0),
        ("2025-01-06", 30, Decimal("0.000001"), 1),
        ("2025-02-28", 30, 2, 3),
        ("2025-02-28", None, 10, 5),
    ]


def test_weeks_are_iso_weeks_and_go_on_over_new_year(http: httpx.Client) -> None:
    assert series(http, "week") == [
        ("2024-12-23", 10, 1, 10),
        ("2024-12-30", 10, Decimal("10.5"), 30),
        ("2025-01-06", 10, 2, 0),
        ("2025-01-06", 30, Decimal("0.000001"), 1),
        ("2025-02-24", 30, 2, 3),
        ("2025-02-24", None, 10, 5),
    ]


def test_months_are_calendar_months(http: httpx.Client) -> None:
    assert series(http, "month") == [
        ("2024-12-01", 10, Decimal("4.5"), 20),
        ("2025-01-01", 10, 9, 20),
        ("2025-01-01", 30, Decimal("0.000001"), 1),
        ("2025-02-01", 30, 2, 3),
        ("2025-02-01", None, 10, 5),
    ]


def test_a_point_has_its_ratios_and_null_where_the_divisor_is_zero(http: httpx.Client) -> None:
    first, *_ = exactly(http.get(SERIES, params={"aggregate_by": "day"}))
    assert first == {
        "date": "2024-12-29",
        "campaign_id": 10,
        "campaign_name": "Alpha",
        "total_cost": 1,
        "total_clicks": 10,
        "total_conversions": 4,
        "total_impressions": 100,
        "avg_cost_per_click": Decimal("0.1"),
        "avg_cost_per_conversion": Decimal("0.25"),
        "avg_click_through_rate": Decimal("0.1"),
        "avg_conversion_rate": Decimal("0.4"),
    }
    (nothing,) = exactly(
        http.get(SERIES, params={"aggregate_by": "day", "campaign_ids": 10, "start_date": "2025-01-06"})
    )
    averages = {name: value for name, value in nothing.items() if name.startswith("avg_")}
    assert averages == dict.fromkeys(averages)
    assert len(averages) == 4


def test_the_ends_of_a_range_belong_to_it(http: httpx.Client) -> None:
    days = {"start_date": "2024-12-30", "end_date": "2025-01-05"}
    assert [point[0] for point in series(http, "day", **days)] == ["2024-12-30", "2024-12-31", "2025-01-05"]
    assert series(http, "day", start_date="2024-12-31", end_date="2025-01-04") == series(http, "day")[2:3]


def test_a_range_cuts_through_a_week_which_still_bears_the_date_of_its_monday(http: httpx.Client) -> None:
    assert series(http, "week", start_date="2025-01-01", end_date="2025-01-05") == [("2024-12-30", 10, 7, 20)]


def test_one_end_of_a_range_may_be_left_open(http: httpx.Client) -> None:
    assert series(http, "month", start_date="2025-02-28")[0][:2] == ("2025-02-01", 30)
    assert series(http, "month", end_date="2024-12-29") == [("2024-12-01", 10, 1, 10)]
    assert series(http, "month", end_date="9999-12-31") == series(http, "month")


def test_only_the_campaigns_asked_for_are_answered(http: httpx.Client) -> None:
    assert {point[1] for point in series(http, "day", campaign_ids=30)} == {30}
    assert {point[1] for point in series(http, "day", campaign_ids=[30, 10, 777])} == {10, 30}
    assert series(http, "day", campaign_ids=[LARGEST]) == []


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"aggregate_by": "year"}, "aggregate_by: Invalid enum value 'year'. Use one of: day, week, month."),
        ({"start_date": "2024-02-30"}, "start_date: Not a date like 2024-01-31."),
        ({"end_date": "31.01.2024"}, "end_date: Not a date like 2024-01-31."),
        ({"start_date": "2024-01-01T00:00:00"}, "start_date: Not a date like 2024-01-31."),
        (
            {"start_date": "2025-02-01", "end_date": "2025-01-31"},
            "end_date: 2025-01-31 is before start_date 2025-02-01; swap them.",
        ),
        ({"campaign_ids": LARGEST + 1}, f"campaign_ids: {LARGEST + 1} is not between 0 and 2^63 - 1."),
        ({"campaign_ids": [1, 10**30]}, f"campaign_ids: {10**30} is not between 0 and 2^63 - 1."),
        ({"campaign_ids": -1}, "campaign_ids: -1 is not between 0 and 2^63 - 1."),
    ],
)
def test_a_bad_parameter_is_refused_with_what_to_do(query: dict[str, Any], detail: str, http: httpx.Client) -> None:
    assert problem(http.get(SERIES, params={"aggregate_by": "day", **query}), 400) == detail


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        (SERIES, {}, "aggregate_by"),
        (COMPARISON, {"end_date": "2025-01-31", "compare_mode": "preceding"}, "start_date"),
        (COMPARISON, {"start_date": "2025-01-31", "compare_mode": "preceding"}, "end_date"),
        (COMPARISON, {"start_date": "2025-01-01", "end_date": "2025-01-31"}, "compare_mode"),
        (SERIES, {"aggregate_by": "day", "campaign_ids": "Alpha"}, "campaign_ids"),
    ],
)
def test_a_missing_or_senseless_parameter_is_named(
    path: str, query: dict[str, str], name: str, http: httpx.Client
) -> None:
    assert name in problem(http.get(path, params=query), 400)


@pytest.mark.parametrize(
    ("mode", "before"),
    [("preceding", ("2024-12-30", "2025-01-05")), ("previous_month", ("2024-12-06", "2024-12-12"))],
)
def test_a_period_is_compared_with_the_one_that_the_mode_means(
    mode: str, before: tuple[str, str], http: httpx.Client
) -> None:
    query = {"start_date": "2025-01-06", "end_date": "2025-01-12", "compare_mode": mode}
    compared = exactly(http.get(COMPARISON, params=query))
    assert (compared["before_period"]["start_date"], compared["before_period"]["end_date"]) == before
    current = compared["current_period"]
    assert (current["start_date"], current["end_date"]) == ("2025-01-06", "2025-01-12")


def test_a_comparison_is_over_all_campaigns_and_in_percent_of_the_exact_values(http: httpx.Client) -> None:
    query = {"start_date": "2025-01-01", "end_date": "2025-01-31", "compare_mode": "previous_month"}
    compared = exactly(http.get(COMPARISON, params=query))
    before, current, change = (compared[part] for part in ("before_period", "current_period", "change_in_percentage"))
    assert (before["total_cost"], before["total_clicks"], before["total_conversions"]) == (Decimal("4.5"), 20, 6)
    assert (current["total_cost"], current["total_impressions"]) == (Decimal("9.000001"), 303)
    assert (current["cost_per_click"], current["cost_per_conversion"]) == (Decimal("0.428571"), Decimal("6.000001"))
    assert (current["click_through_rate"], current["cost_per_impression"]) == (Decimal("0.069307"), Decimal("0.029703"))
    assert change["total_cost"] == Decimal("100.000022")
    assert change["total_clicks"] == 5
    assert change["total_conversions"] == -75
    assert change["cost_per_click"] == Decimal("90.476212")
    assert change["conversion_rate"] == Decimal("-76.190476")


def test_both_ends_of_both_periods_belong_to_them(http: httpx.Client) -> None:
    query = {"start_date": "2024-12-30", "end_date": "2024-12-30", "compare_mode": "preceding"}
    compared = exactly(http.get(COMPARISON, params=query))
    assert (compared["before_period"]["total_cost"], compared["current_period"]["total_cost"]) == (1, 3)


def test_changes_are_not_those_of_the_rounded_numbers_that_are_shown(http: httpx.Client) -> None:
    query = {"start_date": "2025-02-01", "end_date": "2025-02-28", "compare_mode": "previous_month"}
    compared = exactly(http.get(COMPARISON, params=query))
    shown = [compared[period]["cost_per_click"] for period in ("before_period", "current_period")]
    assert shown == [Decimal("0.428571"), Decimal("1.5")]
    assert compared["change_in_percentage"]["cost_per_click"] == Decimal("249.999961")


@pytest.mark.parametrize(
    ("start", "end", "empty"), [("2024-12-24", "2024-12-30", "before"), ("2025-01-12", "2025-01-18", "current")]
)
def test_an_empty_period_has_totals_of_zero_and_nothing_is_compared_with_it(
    start: str, end: str, empty: str, http: httpx.Client
) -> None:
    query = {"start_date": start, "end_date": end, "compare_mode": "preceding"}
    compared = exactly(http.get(COMPARISON, params=query))
    period = compared[f"{empty}_period"]
    totals = {name: value for name, value in period.items() if name.startswith("total_")}
    assert totals == dict.fromkeys(totals, 0)
    assert [period[name] for name in period if "_per_" in name or name.endswith("_rate")] == [None] * 5
    change = compared["change_in_percentage"]
    expected = None if empty == "before" else -100
    assert [value for name, value in change.items() if name.startswith("total_")] == [expected] * 4
    assert [value for name, value in change.items() if not name.startswith("total_")] == [None] * 5


def test_a_period_up_to_the_end_of_time_is_refused_instead_of_breaking(http: httpx.Client) -> None:
    query = {"start_date": "2024-01-01", "end_date": "9999-12-31", "compare_mode": "preceding"}
    assert "2024-01-01 to 9999-12-31" in problem(http.get(COMPARISON, params=query), 400)
