"""Exact arithmetic of the answers: from whole micros to decimals of six digits, rounded once, at the end.

Pure: whole numbers and fractions. Floats carry a result to the encoder, where that changes no digit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from math import floor

MICROS = 10**6
FIFTEEN_DIGITS = 10**15
Shown = float | Decimal
"""A number on its way to the encoder, which writes either with all its digits."""

_CONTEXT = Context(prec=80)


@dataclass(frozen=True)
class Totals:
    """The sums of some days; cost and conversions in micros."""

    cost: int
    clicks: int
    conversions: int
    impressions: int


def shown(column: Iterable[int]) -> list[Shown]:
    """Return for each value what JSON shows as exactly that many millionths.

    The encoder writes a float with the fewest digits that tell it from all others, and up to fifteen digits these
    are the ones that it was made of. It takes a tenth of the time that a decimal takes, which larger ones are.
    """
    return [micros / MICROS if micros < FIFTEEN_DIGITS else amount(micros) for micros in column]


def shown_ratios(dividends: Sequence[int], divisors: Sequence[int], unit: int = 1) -> list[Shown | None]:
    """Return for each pair what JSON shows for their quotient, rounded as by `quotient`; None when the divisor is 0.

    `unit` says how many of the dividends' units are one of the divisors': `MICROS` for micros and plain counts.
    """
    scaled = dividends if unit == MICROS else [MICROS // unit * dividend for dividend in dividends]
    pairs = zip(scaled, divisors, strict=True)
    largest = max(scaled, default=0)
    if largest < FIFTEEN_DIGITS and max(divisors, default=0) < FIFTEEN_DIGITS:
        # Exact, though in floats: a tie is a float itself, and what is none is at least half of the divisor's inverse
        # away from one, which for such numbers is more than the division and the addition can be wrong by.
        return [floor(dividend / divisor + 0.5) / MICROS if divisor else None for dividend, divisor in pairs]
    whole = ((dividend + (divisor >> 1)) // divisor if divisor else None for dividend, divisor in pairs)
    return [
        None if micros is None else micros / MICROS if micros < FIFTEEN_DIGITS else amount(micros) for micros in whole
    ]


def quotient(dividend: int, divisor: int) -> Decimal | None:
    """Return the quotient to six decimals, half away from zero; None when the divisor is 0, which is never negative."""
    if divisor == 0:
        return None
    micros = (2 * abs(dividend) * MICROS + divisor) // (2 * divisor)
    value = _CONTEXT.normalize(_CONTEXT.scaleb(Decimal(micros if dividend >= 0 else -micros), -6))
    return value if value == 0 or int(value.as_tuple().exponent) <= 0 else value.quantize(Decimal(1), context=_CONTEXT)


def amount(micros: int) -> Decimal:
    """Return micros in units."""
    return quotient(micros, MICROS) or Decimal(0)


def exact_metrics(totals: Totals) -> dict[str, Fraction | None]:
    """Return every metric of a period as an exact fraction; None where the divisor is 0."""
    cost = Fraction(totals.cost, MICROS)
    conversions = Fraction(totals.conversions, MICROS)
    return {
        "total_cost": cost,
        "total_clicks": Fraction(totals.clicks),
        "total_conversions": conversions,
        "total_impressions": Fraction(totals.impressions),
        "cost_per_click": _ratio(cost, totals.clicks),
        "cost_per_conversion": _ratio(cost, conversions),
        "cost_per_impression": _ratio(cost, totals.impressions),
        "click_through_rate": _ratio(Fraction(totals.clicks), totals.impressions),
        "conversion_rate": _ratio(conversions, totals.clicks),
    }


def change_in_percent(before: Fraction | None, current: Fraction | None) -> Fraction | None:
    """Return the change from `before` to `current`; None where there is nothing to compare with."""
    if not before or current is None:
        return None
    return (current - before) / before * 100


def rounded(value: Fraction | None) -> Decimal | None:
    """Return the value to six decimals, half away from zero."""
    return None if value is None else quotient(value.numerator, value.denominator)


def _ratio(dividend: Fraction, divisor: Fraction | int) -> Fraction | None:
    return dividend / divisor if divisor else None
