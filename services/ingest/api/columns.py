"""The columns that files may have, and how a header row tells what a file describes.

Pure: no framework, no files.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.messages import Kind


class Column(StrEnum):
    """A column we know, under the name that our own files give it."""

    DATE = "date"
    CAMPAIGN_ID = "campaign_id"
    CAMPAIGN_NAME = "campaign_name"
    CAMPAIGN_TYPE = "campaign_type"
    AD_GROUP_ID = "ad_group_id"
    AD_GROUP_NAME = "ad_group_name"
    DEVICE = "device"
    IMPRESSIONS = "impressions"
    CLICKS = "clicks"
    CONVERSIONS = "conversions"
    COST = "cost"


@dataclass(frozen=True)
class Shape:
    """The columns that a kind of file must have, and those it may."""

    required: tuple[Column, ...]
    optional: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them, in the order in which a row is checked."""
        return self.required + self.optional


# The most specific kind first: an export of ad groups may well name their campaigns.
SHAPES: dict[Kind, Shape] = {
    Kind.AD_GROUP_STATS: Shape(
        (
            Column.DATE,
            Column.AD_GROUP_ID,
            Column.IMPRESSIONS,
            Column.CLICKS,
            Column.CONVERSIONS,
            Column.COST,
        ),
        (Column.DEVICE,),
    ),
    Kind.AD_GROUPS: Shape((Column.AD_GROUP_ID, Column.AD_GROUP_NAME, Column.CAMPAIGN_ID)),
    Kind.CAMPAIGNS: Shape((Column.CAMPAIGN_ID, Column.CAMPAIGN_NAME), (Column.CAMPAIGN_TYPE,)),
}


class HeaderError(ValueError):
    """The header row does not say what the file describes; the message names what it has and what is wanted."""


@dataclass(frozen=True)
class Header:
    """What a header row says: the file's kind, its column names, and where each known column stands."""

    kind: Kind
    names: tuple[str, ...]
    positions: Mapping[Column, int]


def fold(name: str) -> str:
    """Return a column's name without case, spaces and punctuation, as names are compared."""
    return re.sub(r"[\W_]+", "", name.strip().casefold())


_BY_FOLDED_NAME = {fold(column): column for column in Column}


def recognise(names: Sequence[str], wanted: Kind | None = None) -> Header:
    """Return what the header row `names` says; raises `HeaderError` unless it fits `wanted`, or any kind."""
    positions = _positions(names)
    for kind in [wanted] if wanted else SHAPES:
        if set(SHAPES[kind].required) <= positions.keys():
            known = {column: positions[column] for column in SHAPES[kind].columns if column in positions}
            return Header(kind, tuple(names), known)
    raise HeaderError(_explain(names, wanted))


def _positions(names: Sequence[str]) -> dict[Column, int]:
    positions: dict[Column, int] = {}
    for position, name in enumerate(names):
        column = _BY_FOLDED_NAME.get(fold(name))
        if column in positions:
            raise HeaderError(f"The columns {names[positions[column]]!r} and {name!r} both mean {column}; remove one.")
        if column is not None:
            positions[column] = position
    return positions


def _explain(names: Sequence[str], wanted: Kind | None) -> str:
    found = ", ".join(name.strip()[:60] or "(no name)" for name in names[:30])
    kinds = [wanted] if wanted else list(SHAPES)
    needs = "; ".join(f"{kind} needs {', '.join(SHAPES[kind].required)}" for kind in kinds)
    return f"The header row has the columns: {found}. {needs}."
