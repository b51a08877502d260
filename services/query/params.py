"""The parameters that read endpoints share, and what makes them wrong.

Pure: no database.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from http import HTTPStatus

from shared.errors import ProblemError

EARLIEST = date(1900, 1, 1)
DAYS_OF_A_WEEK = 7


class AggregateBy(StrEnum):
    """How wide the steps of a time series are; a week begins on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class CompareMode(StrEnum):
    """What a period is compared with: as many days just before it, or its dates a calendar month earlier."""

    PRECEDING = "preceding"
    PREVIOUS_MONTH = "previous_month"


@dataclass(frozen=True)
class Period:
    """A range of days, both ends inclusive."""

    start: date
    end: date


@dataclass(frozen=True)
class Piece:
    """A range of steps that are summed already, by the first day of each."""

    step: AggregateBy
    first: date
    last: date


def pieces(step: AggregateBy, start: date | None, end: date | None) -> list[Piece]:
    """Return what makes up a range of days: whole steps, and single days where an end of the range cuts one."""
    start, end = start or date.min, end or date.max
    if step is AggregateBy.DAY:
        return [Piece(step, start, end)]
    cuts_first, cuts_last = start != _first(step, start), end != _last(step, end)
    if (cuts_first or cuts_last) and end <= _last(step, start):
        return [Piece(AggregateBy.DAY, start, end)]
    head = [Piece(AggregateBy.DAY, start, _last(step, start))] if cuts_first else []
    tail = [Piece(AggregateBy.DAY, _first(step, end), end)] if cuts_last else []
    whole_from = _last(step, start) + timedelta(1) if cuts_first else start
    whole_until = _first(step, end) - timedelta(1) if cuts_last else end
    whole = [Piece(step, whole_from, whole_until)] if whole_from <= whole_until else []
    return [*head, *whole, *tail]


def _first(step: AggregateBy, day: date) -> date:
    return day.replace(day=1) if step is AggregateBy.MONTH else day - timedelta(day.weekday())


def _last(step: AggregateBy, day: date) -> date:
    """Return the last day of the step that a day is in, which the end of the calendar may cut."""
    days = _length(day.year, day.month) if step is AggregateBy.MONTH else DAYS_OF_A_WEEK
    return date.fromordinal(min(_first(step, day).toordinal() + days - 1, date.max.toordinal()))


def check_order(start: date | None, end: date | None) -> None:
    """Raise a 400 unless the range has its ends in order and in living memory."""
    for name, day in (("start_date", start), ("end_date", end)):
        if day is not None and day < EARLIEST:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name}: {day} is before {EARLIEST}.")
    if start is not None and end is not None and end < start:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"end_date: {end} is before start_date {start}; swap them.")


def check_ids(campaign_ids: Iterable[int]) -> None:
    """Raise a 400 for a number that can be no campaign's id."""
    for campaign_id in campaign_ids:
        if not 0 <= campaign_id < 2**63:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"campaign_ids: {campaign_id} is not between 0 and 2^63 - 1.")


def period_before(period: Period, mode: CompareMode) -> Period:
    """Return the period that `period` is compared with.

    `previous_month` shifts both ends back one calendar month, clamped to its length; a range of whole calendar
    months is compared with as many whole months before it. Raises a 400 when that is before the calendar begins.
    """
    try:
        return _before(period, mode)
    except (OverflowError, ValueError) as error:
        detail = f"start_date: the period before {period.start} to {period.end} would begin before the year 1."
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{detail} Ask for a shorter one.") from error


def _before(period: Period, mode: CompareMode) -> Period:
    if mode is CompareMode.PRECEDING:
        days = (period.end - period.start).days + 1
        return Period(period.start - timedelta(days=days), period.start - timedelta(days=1))
    if _is_whole_months(period):
        return Period(_months_back(period.start, _months(period)), period.start - timedelta(days=1))
    return Period(_months_back(period.start, 1), _months_back(period.end, 1))


def _is_whole_months(period: Period) -> bool:
    return period.start.day == 1 and period.end.day == _length(period.end.year, period.end.month)


def _months(period: Period) -> int:
    return (period.end.year - period.start.year) * 12 + period.end.month - period.start.month + 1


def _months_back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, _length(year, month + 1)))


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
