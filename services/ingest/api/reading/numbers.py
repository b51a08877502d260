"""How numbers are written, with a decimal point or a decimal comma, and which of the two a file does.

Pure: SQL expressions for DuckDB over a cell's trimmed text, and the decision over what was counted.
"""

from dataclasses import dataclass

from services.ingest.api.reading.money import SIGN

SPACES = " \t\u00a0\u2007\u2009\u202f\u200b\u200e\u200f\ufeff"
"""What is dropped around a number, a date or a device."""

_NEUTRAL = " '\u2019\u00a0\u2009\u202f"
"""What groups digits in either way of writing."""


class QuestionError(ValueError):
    """A file that can be read in two ways; the message asks which is meant."""


@dataclass(frozen=True)
class Writing:
    """One way to write numbers: its decimal mark, and the mark that groups digits in threes."""

    decimal: str
    group: str

    @property
    def whole(self) -> str:
        """The pattern of a whole number; programs that know no others write `.0` behind it."""
        return f"(?:[0-9]+|{self._grouped})(?:[{self.decimal}]0{{1,2}})?"

    @property
    def amount(self) -> str:
        """The pattern of a number."""
        plain = f"(?:[0-9]+(?:[{self.decimal}][0-9]*)?|[{self.decimal}][0-9]+)(?:[eE][-+]?[0-9]{{1,2}})?"
        return f"(?:{plain}|{self._grouped}(?:[{self.decimal}][0-9]*)?)"

    @property
    def _grouped(self) -> str:
        indian = f"|[1-9][0-9]?(?:{self.group}[0-9]{{2}})+{self.group}[0-9]{{3}}" if self.group == "," else ""
        threes = "|".join(f"[1-9][0-9]{{0,2}}(?:[{mark}][0-9]{{3}})+" for mark in (self.group, _NEUTRAL))
        return f"(?:{threes}{indian})"

    def plain(self, text: str) -> str:
        """Return the expression of the number as a cast understands it."""
        ungrouped = f"translate({text}, {sql(self.group + _NEUTRAL)}, '')"
        return f"replace({ungrouped}, ',', '.')" if self.decimal == "," else ungrouped


POINT = Writing(".", ",")
COMMA = Writing(",", ".")


def sql(text: str) -> str:
    """Return a string as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_like(text: str, pattern: str) -> str:
    """Return the condition that the whole text is like the pattern."""
    return f"regexp_full_match({text}, {sql(pattern)})"


GAP = "[ \u00a0\u202f]*"
_LEADING_SIGN = "^([-\\x{2212}(]?) *" + SIGN + GAP
_TRAILING_SIGN = "([0-9.,])" + GAP + SIGN + "$"


def without_sign(text: str) -> str:
    """Return the expression of an amount without its currency."""
    without_leading = f"regexp_replace({text}, {sql(_LEADING_SIGN)}, '\\1')"
    without = f"regexp_replace({without_leading}, {sql(_TRAILING_SIGN)}, '\\1')"
    return f"CASE WHEN {is_like(text, '[0-9.,]*')} THEN {text} ELSE {without} END"


def way_of_number(text: str, *, whole: bool) -> str:
    """Return the expression of how a number can be read: 1 only with a point, 2 only with a comma, 3 both ways.

    It is 3 only where that makes it another number, and something else where it tells nothing.
    """
    point, comma = (is_like(text, each.whole if whole else each.amount) for each in (POINT, COMMA))
    marks = f"IF(contains({text}, '.') OR contains({text}, ','), {point}::INT + 2 * {comma}::INT, 0)"
    return f"CASE WHEN {is_like(text, '[0-9]*')} THEN 0 ELSE {marks} END"


@dataclass(frozen=True)
class Evidence:
    """How many cells can only be read with a point, only with a comma, or either way to another value."""

    point: int = 0
    comma: int = 0
    either: int = 0


_ALMOST_ALL = 9
"""How many times as many cells must speak for one reading as for the other, where a third kind fits both."""


def uses_comma(found: Evidence, *, said: bool | None) -> bool:
    """Tell whether a file writes a decimal comma: as was said, or as its cells show; raises `QuestionError`."""
    if said is not None:
        return said
    more, less = max(found.point, found.comma), min(found.point, found.comma)
    if found.either and more <= _ALMOST_ALL * less:
        raise QuestionError(
            "Its numbers can be read in two ways: 1.234 may be one and a bit, or one thousand two hundred and "
            "thirty-four. Say which: ?locale=point (1,234.56) or ?locale=comma (1.234,56)."
            + (f" {found.point} cells speak for the point, {found.comma} for the comma." if less else ""),
        )
    return found.comma > found.point
