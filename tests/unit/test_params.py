from datetime import date, timedelta
from http import HTTPStatus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.query.params import EARLIEST, CompareMode, Period, check_ids, check_order, period_before
from shared.errors import ProblemError

BOUNDED = settings(max_examples=300, deadline=None)
DAY = timedelta(days=1)
starts = st.dates(date(1999, 1, 1), date(2032, 12, 31))
ends = st.dates(date(1999, 1, 1), date(2032, 12, 31))
months = st.tuples(st.integers(1999, 2032), st.integers(1, 12))


def before(start: str, end: str, mode: CompareMode) -> tuple[str, str]:
    found = period_before(Period(date.fromisoformat(start), date.fromisoformat(end)), mode)
    return found.start.isoformat(), found.end.isoformat()


def last_day(year: int, month: int) -> date:
    """The last day of a month, found by walking."""
    day = date(year, month, 28)
    while (day + DAY).month == month:
        day += DAY
    return day


def month_earlier(day: date) -> date:
    """The same day a month earlier, or the last one that month has, found by walking back into it."""
    earlier = day.replace(day=1) - DAY
    while earlier.day > day.day:
        earlier -= DAY
    return earlier


def walk(first: date, last: date) -> list[date]:
    return [first + DAY * step for step in range((last - first).days + 1)]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-03-10", "2024-03-10", ("2024-03-09", "2024-03-09")),
        ("2024-03-01", "2024-03-31", ("2024-01-30", "2024-02-29")),
        ("2023-03-01", "2023-03-31", ("2023-01-29", "2023-02-28")),
        ("2024-01-01", "2024-01-07", ("2023-12-25", "2023-12-31")),
        ("2024-01-01", "2024-12-31", ("2022-12-31", "2023-12-31")),
    ],
)
def test_preceding_is_as_many_days_just_before(start: str, end: str, expected: tuple[str, str]) -> None:
    assert before(start, end, CompareMode.PRECEDING) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-03-15", "2024-03-20", ("2024-02-15", "2024-02-20")),
        ("2024-03-31", "2024-03-31", ("2024-02-29", "2024-02-29")),
        ("2023-03-31", "2023-03-31", ("2023-02-28", "2023-02-28")),
        ("2024-03-29", "2024-03-31", ("2024-02-29", "2024-02-29")),
        ("2024-05-02", "2024-05-31", ("2024-04-02", "2024-04-30")),
        ("2024-02-02", "2024-02-29", ("2024-01-02", "2024-01-29")),
        ("2024-01-10", "2024-01-20", ("2023-12-10", "2023-12-20")),
        ("2023-12-20", "2024-01-10", ("2023-11-20", "2023-12-10")),
        ("2024-02-01", "2024-02-28", ("2024-01-01", "2024-01-28")),
        ("2024-02-02", "2024-03-31", ("2024-01-02", "2024-02-29")),
    ],
)
def test_previous_month_is_the_same_dates_a_calendar_month_earlier(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert before(start, end, CompareMode.PREVIOUS_MONTH) == expected


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31")),
        ("2023-02-01", "2023-02-28", ("2023-01-01", "2023-01-31")),
        ("2024-03-01", "2024-03-31", ("2024-02-01", "2024-02-29")),
        ("2024-01-01", "2024-01-31", ("2023-12-01", "2023-12-31")),
        ("2024-03-01", "2024-04-30", ("2024-01-01", "2024-02-29")),
        ("2024-01-01", "2024-03-31", ("2023-10-01", "2023-12-31")),
        ("2024-01-01", "2024-12-31", ("2023-01-01", "2023-12-31")),
        ("2023-12-01", "2024-01-31", ("2023-10-01", "2023-11-30")),
    ],
)
def test_whole_months_are_compared_with_as_many_whole_months_before(
    start: str, end: str, expected: tuple[str, str]
) -> None:
    assert before(start, end, CompareMode.PREVIOUS_MONTH) == expected


@BOUNDED
@given(starts, st.integers(1, 1500))
def test_preceding_holds_exactly_the_days_that_walking_back_meets(start: date, days: int) -> None:
    period = Period(start, start + DAY * (days - 1))
    walked = [start - DAY * step for step in range(days, 0, -1)]
    found = period_before(period, CompareMode.PRECEDING)
    assert walk(found.start, found.end) == walked


@BOUNDED
@given(starts, ends)
@example(date(2024, 3, 30), date(2024, 3, 31))
@example(date(2024, 2, 1), date(2024, 2, 28))
def test_previous_month_agrees_with_walking_to_the_month_before(one: date, other: date) -> None:
    start, end = sorted((one, other))
    if start.day == 1 and end == last_day(end.year, end.month):
        end -= DAY
    if end < start:
        return
    found = period_before(Period(start, end), CompareMode.PREVIOUS_MONTH)
    assert (found.start, found.end) == (month_earlier(start), month_earlier(end))


@BOUNDED
@given(months, st.integers(1, 40))
def test_whole_months_agree_with_counting_months_on_the_fingers(first: tuple[int, int], count: int) -> None:
    start = date(*first, 1)
    end = start
    for _ in range(count):
        end = last_day(end.year, end.month) + DAY
    expected = start
    for _ in range(count):
        expected = (expected - DAY).replace(day=1)
    found = period_before(Period(start, end - DAY), CompareMode.PREVIOUS_MONTH)
    assert (found.start, found.end) == (expected, start - DAY)


@BOUNDED
@given(starts, ends, st.sampled_from(CompareMode))
def test_the_period_before_begins_before_and_is_in_order(one: date, other: date, mode: CompareMode) -> None:
    start, end = sorted((one, other))
    found = period_before(Period(start, end), mode)
    assert found.start <= found.end < end
    assert found.start < start


@pytest.mark.parametrize("mode", CompareMode)
def test_a_period_up_to_the_end_of_the_calendar_is_refused_and_not_a_crash(mode: CompareMode) -> None:
    with pytest.raises(ProblemError) as refused:
        period_before(Period(date(2024, 1, 1), date.max), mode)
    assert refused.value.status_code == HTTPStatus.BAD_REQUEST
    assert "2024-01-01 to 9999-12-31" in refused.value.detail


def test_the_last_month_of_the_calendar_has_a_month_before_it() -> None:
    assert before("9999-12-01", "9999-12-31", CompareMode.PREVIOUS_MONTH) == ("9999-11-01", "9999-11-30")


def test_ends_in_the_wrong_order_are_refused_with_both_and_the_way_out() -> None:
    with pytest.raises(ProblemError) as refused:
        check_order(date(2024, 3, 1), date(2024, 2, 1))
    assert refused.value.status_code == HTTPStatus.BAD_REQUEST
    assert refused.value.detail == "end_date: 2024-02-01 is before start_date 2024-03-01; swap them."


@pytest.mark.parametrize("name", ["start_date", "end_date"])
def test_a_day_before_living_memory_is_refused_under_its_own_name(name: str) -> None:
    too_early = EARLIEST - DAY
    start, end = (too_early, None) if name == "start_date" else (None, too_early)
    with pytest.raises(ProblemError) as refused:
        check_order(start, end)
    assert refused.value.status_code == HTTPStatus.BAD_REQUEST
    assert refused.value.detail == f"{name}: 1899-12-31 is before 1900-01-01."


@pytest.mark.parametrize(
    ("start", "end"),
    [(None, None), (EARLIEST, None), (None, EARLIEST), (EARLIEST, EARLIEST), (EARLIEST, date.max)],
)
def test_open_and_single_day_ranges_are_in_order(start: date | None, end: date | None) -> None:
    check_order(start, end)


def test_every_id_that_a_file_can_hold_may_be_asked_for() -> None:
    check_ids([0, 1, 2**63 - 1])
    check_ids([])


@pytest.mark.parametrize("wrong", [-1, 2**63, 10**30])
def test_a_number_that_can_be_no_id_is_refused_and_named(wrong: int) -> None:
    with pytest.raises(ProblemError) as refused:
        check_ids([1, wrong])
    assert refused.value.status_code == HTTPStatus.BAD_REQUEST
    assert refused.value.detail == f"campaign_ids: {wrong} is not between 0 and 2^63 - 1."
