import json
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.query.numbers import (
    FIFTEEN_DIGITS,
    Totals,
    amount,
    change_in_percent,
    exact_metrics,
    quotient,
    rounded,
    shown,
    shown_ratios,
)

BOUNDED = settings(max_examples=300, deadline=None)
HUGE = 10**38
"""Beyond what NUMERIC(38) columns can add up to."""

dividends = st.integers(-HUGE, HUGE)
divisors = st.integers(1, HUGE)
micros = st.integers(0, HUGE)
fractions = st.fractions(-HUGE, HUGE, max_denominator=10**20)
totals = st.builds(Totals, cost=micros, clicks=micros, conversions=micros, impressions=micros)


def as_json(value: float | Decimal) -> str:
    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def half_away_from_zero(value: Fraction) -> Decimal:
    """Round as the decimal module does, from far more digits than a tie can hide in."""
    with localcontext(prec=200):
        return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal("0.000001"), ROUND_HALF_UP)


@BOUNDED
@given(dividends, divisors)
def test_a_quotient_is_the_exact_one_rounded_half_away_from_zero_to_six_decimals(dividend: int, divisor: int) -> None:
    assert quotient(dividend, divisor) == half_away_from_zero(Fraction(dividend, divisor))


@BOUNDED
@given(dividends, divisors)
def test_a_quotient_is_never_further_from_the_truth_than_half_a_millionth(dividend: int, divisor: int) -> None:
    value = quotient(dividend, divisor)
    assert value is not None
    assert abs(Fraction(value) - Fraction(dividend, divisor)) <= Fraction(1, 2 * 10**6)


@BOUNDED
@given(st.integers(-(10**30), 10**30), st.integers(1, 10**12))
def test_a_tie_goes_away_from_zero_on_both_sides(whole: int, scale: int) -> None:
    away = whole + 1 if whole >= 0 else whole - 1
    tie = 2 * whole + (1 if whole >= 0 else -1)
    value = quotient(tie * scale, 2 * 10**6 * scale)
    assert value is not None
    assert Fraction(value) == Fraction(away, 10**6)


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [
        (1, 3, "0.333333"),
        (2, 3, "0.666667"),
        (-2, 3, "-0.666667"),
        (1, 2 * 10**6, "0.000001"),
        (-1, 2 * 10**6, "-0.000001"),
        (1, 2 * 10**6 + 1, "0"),
        (3, 2 * 10**6, "0.000002"),
        (5, 2 * 10**6, "0.000003"),
        (-5, 2 * 10**6, "-0.000003"),
        (-1, 10**9, "0"),
        (0, 7, "0"),
        (1000, 1, "1000"),
        (10**24, 1, "1" + "0" * 24),
        (15, 10, "1.5"),
        (1, 10**6, "0.000001"),
    ],
)
def test_known_quotients_are_written_plainly(dividend: int, divisor: int, expected: str) -> None:
    value = quotient(dividend, divisor)
    assert value is not None
    assert as_json(value) == expected


@BOUNDED
@given(dividends, divisors)
def test_the_json_of_a_number_has_no_exponent_no_spare_zeros_and_all_its_digits(dividend: int, divisor: int) -> None:
    value = quotient(dividend, divisor)
    assert value is not None
    text = as_json(value)
    assert not set(text) - set("-0123456789.")
    assert text not in {"-0", "-0.0"}
    assert "." not in text or (text[-1] not in "0." and len(text.partition(".")[2]) <= 6)
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == value


def test_a_divisor_of_zero_has_no_quotient() -> None:
    assert quotient(5, 0) is None
    assert quotient(0, 0) is None


@BOUNDED
@given(st.integers(-HUGE, HUGE))
def test_an_amount_is_its_micros_moved_by_six_places(value: int) -> None:
    assert Fraction(amount(value)) == Fraction(value, 10**6)


@BOUNDED
@given(fractions)
def test_a_fraction_is_rounded_like_a_quotient(value: Fraction) -> None:
    assert rounded(value) == half_away_from_zero(value)


def test_what_is_unknown_stays_unknown_when_rounded() -> None:
    assert rounded(None) is None


@BOUNDED
@given(totals)
def test_the_metrics_of_a_period_are_exact_fractions_of_its_totals(period: Totals) -> None:
    cost, conversions = Fraction(period.cost, 10**6), Fraction(period.conversions, 10**6)
    oracle = {
        "total_cost": (cost, 1),
        "total_clicks": (period.clicks, 1),
        "total_conversions": (conversions, 1),
        "total_impressions": (period.impressions, 1),
        "cost_per_click": (cost, period.clicks),
        "cost_per_conversion": (cost, conversions),
        "cost_per_impression": (cost, period.impressions),
        "click_through_rate": (period.clicks, period.impressions),
        "conversion_rate": (conversions, period.clicks),
    }
    metrics = exact_metrics(period)
    assert list(metrics) == list(oracle)
    for name, (dividend, divisor) in oracle.items():
        value = metrics[name]
        assert (value is None) == (divisor == 0)
        assert value is None or value * divisor == dividend


def test_an_empty_period_has_totals_of_zero_and_no_ratios() -> None:
    metrics = exact_metrics(Totals(0, 0, 0, 0))
    assert {name for name, value in metrics.items() if value == 0} == {
        "total_cost",
        "total_clicks",
        "total_conversions",
        "total_impressions",
    }
    assert sum(value is None for value in metrics.values()) == 5


@BOUNDED
@given(fractions, fractions)
def test_a_change_applied_to_what_was_before_gives_what_is_now(before: Fraction, current: Fraction) -> None:
    change = change_in_percent(before, current)
    assert (change is None) == (before == 0)
    assert change is None or before + before * change / 100 == current


@pytest.mark.parametrize(
    ("before", "current"), [(None, Fraction(1)), (Fraction(0), Fraction(1)), (Fraction(1), None), (None, None)]
)
def test_there_is_no_change_without_something_to_compare(before: Fraction | None, current: Fraction | None) -> None:
    assert change_in_percent(before, current) is None


def test_a_fall_to_zero_is_a_change_of_minus_one_hundred_percent() -> None:
    assert rounded(change_in_percent(Fraction(3, 7), Fraction(0))) == Decimal(-100)


def test_a_change_comes_from_exact_values_and_not_from_the_rounded_ones_that_are_shown() -> None:
    before, current = Fraction(1, 3 * 10**6), Fraction(2, 3 * 10**6)
    assert (rounded(before), rounded(current)) == (Decimal(0), Decimal("0.000001"))
    assert rounded(change_in_percent(before, current)) == Decimal(100)


@settings(max_examples=2000, deadline=None)
@given(micros | st.integers(0, 10**7) | st.integers(FIFTEEN_DIGITS - 10**7, FIFTEEN_DIGITS + 10**7))
def test_what_json_shows_has_every_digit_of_the_amount_also_where_a_float_carries_it(value: int) -> None:
    assert Fraction(Decimal(as_json(shown([value])[0]))) == Fraction(value, 10**6)


@BOUNDED
@given(micros, micros | st.integers(0, 10**6))
def test_what_json_shows_of_a_ratio_is_the_rounded_quotient(dividend: int, divisor: int) -> None:
    (value,), expected = shown_ratios([dividend], [divisor]), quotient(dividend, divisor)
    assert shown_ratios([dividend], [divisor], unit=10**6) == shown_ratios([dividend], [divisor * 10**6])
    assert (value is None) == (expected is None) == (divisor == 0)
    if value is not None:
        assert Decimal(as_json(value)) == expected


@settings(max_examples=1000, deadline=None)
@given(
    st.integers(0, FIFTEEN_DIGITS),
    st.integers(1, FIFTEEN_DIGITS),
    st.integers(-2, 2),
    st.sampled_from([FIFTEEN_DIGITS - 1, FIFTEEN_DIGITS]),
)
def test_ratios_of_numbers_of_fifteen_digits_are_rounded_right_at_ties_and_beside_them(
    whole: int, divisor: int, beside: int, other: int
) -> None:
    whole %= FIFTEEN_DIGITS // divisor
    dividend = max(0, (2 * whole + 1) * divisor // 2 + beside)
    value, _ = shown_ratios([dividend, other], [divisor, 1], unit=10**6)

    assert Decimal(as_json(value or 0.0)) == quotient(dividend, divisor * 10**6)
