from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.query.params import AggregateBy, Piece, pieces

DAY, WEEK, MONTH = AggregateBy.DAY, AggregateBy.WEEK, AggregateBy.MONTH
LAST = date.max

days = st.dates(date(1999, 1, 1), date(2003, 12, 31)) | st.dates(date(9998, 12, 1))


def starts_of(step: AggregateBy, first: date, last: date) -> set[date]:
    """The first days of the steps that begin within a range."""
    every = (first + timedelta(n) for n in range((last - first).days + 1))
    return {day for day in every if (day.day == 1 if step is MONTH else day.weekday() == 0)}


def days_of(piece: Piece) -> list[date]:
    """The days that the rows of a piece stand for."""
    if piece.step is DAY:
        return [piece.first + timedelta(n) for n in range((piece.last - piece.first).days + 1)]
    covered = []
    for start in starts_of(piece.step, piece.first, piece.last):
        day = start
        while day == start or not (day.day == 1 if piece.step is MONTH else day.weekday() == 0):
            covered.append(day)
            if day == LAST:
                break
            day += timedelta(1)
    return covered


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(AggregateBy), days, st.integers(0, 120))
def test_the_pieces_of_a_range_are_its_days_each_once(step: AggregateBy, start: date, length: int) -> None:
    end = start + timedelta(min(length, (LAST - start).days))
    covered = [day for piece in pieces(step, start, end) for day in days_of(piece)]
    assert sorted(covered) == [start + timedelta(n) for n in range((end - start).days + 1)]


def test_a_range_without_ends_is_one_piece_of_its_step() -> None:
    for step in AggregateBy:
        (piece,) = pieces(step, None, None)
        assert (piece.step, piece.first, piece.last) == (step, date.min, date.max)


def test_whole_months_are_taken_as_months_and_the_rest_as_days() -> None:
    assert pieces(MONTH, date(2024, 1, 31), date(2024, 3, 1)) == [
        Piece(DAY, date(2024, 1, 31), date(2024, 1, 31)),
        Piece(MONTH, date(2024, 2, 1), date(2024, 2, 29)),
        Piece(DAY, date(2024, 3, 1), date(2024, 3, 1)),
    ]


def test_a_range_within_one_week_is_days() -> None:
    assert pieces(WEEK, date(2024, 1, 2), date(2024, 1, 7)) == [Piece(DAY, date(2024, 1, 2), date(2024, 1, 7))]


def test_a_whole_week_is_a_week() -> None:
    assert pieces(WEEK, date(2024, 1, 1), date(2024, 1, 7)) == [Piece(WEEK, date(2024, 1, 1), date(2024, 1, 7))]
