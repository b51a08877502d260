"""Figures: what was measured, beside what it is measured against and what it should be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass
class Figure:
    """A row of the table: measurements of ours and of a peer, one a round, and bounds of their ratio.

    Without a peer the bounds are of our figure itself. `more` tells that more is better.
    """

    name: str
    unit: str
    peer: str = ""
    must: float | None = None
    aim: float | None = None
    more: bool = False
    note: str = ""
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """Return the median of ours over that of the peer's."""
        return median(self.ours) / median(self.theirs) if self.ours and self.theirs else None

    @property
    def judged(self) -> float | None:
        """Return what the bounds are bounds of."""
        return self.ratio if self.peer else (median(self.ours) if self.ours else None)

    def verdict(self) -> str:
        """Tell which bound is met."""
        if self.judged is None or self.must is None:
            return ""
        met: Callable[[float], bool] = self._at_least if self.more else self._at_most
        if self.aim is not None and met(self.aim):
            return "aim"
        return "must" if met(self.must) else "MISSED"

    def _at_least(self, bound: float) -> bool:
        return self.judged is not None and self.judged >= bound

    def _at_most(self, bound: float) -> bool:
        return self.judged is not None and self.judged <= bound

    def as_json(self) -> dict[str, Any]:
        """Return everything about it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "peer": self.peer,
            "ours": self.ours,
            "theirs": self.theirs,
            "ratio": self.ratio,
            "must": self.must,
            "aim": self.aim,
            "more_is_better": self.more,
            "verdict": self.verdict(),
            "note": self.note,
        }


HEADER = ("what", "ours", "peer", "ratio", "must", "aim", "met", "spread")


def table(figures: Sequence[Figure]) -> str:
    """Return the table, in Markdown."""
    rows = [HEADER, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    notes = [f"{figure.name}: {figure.note}" for figure in figures if figure.note]
    return "\n".join([lines[0], rule, *lines[1:], "", *notes])


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.more else "≤"
    return (
        figure.name,
        f"{_short(median(figure.ours))} {figure.unit}" if figure.ours else "",
        f"{_short(median(figure.theirs))} {figure.unit} {figure.peer}" if figure.theirs else "",
        f"{_short(figure.ratio)}" if figure.ratio is not None else "",
        f"{sign} {_short(figure.must)}" if figure.must is not None else "",
        f"{sign} {_short(figure.aim)}" if figure.aim is not None else "",
        figure.verdict(),
        f"{_spread(figure.ours)} {_spread(figure.theirs)}".strip(),
    )


def _spread(values: Sequence[float]) -> str:
    return f"{_short(min(values))}…{_short(max(values))}" if len(values) > 1 else ""


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
