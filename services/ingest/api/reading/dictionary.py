"""What the names in a header row mean: the dictionary of column names.

Pure: no framework, no files. Names are compared folded (`fold`), so `Ad group ID`, `AdGroupId` and `ad_group.id`
are one name.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field

from services.ingest.api.reading.sources import SOURCES, Column


def fold(name: str) -> str:
    """Return a column's name without case, spaces and punctuation, as names are compared."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


IN_MICROS = frozenset({"metricscostmicros", "costmicros", "spendinmicrodollar"})
"""Names of costs in millionths of the currency, beside any known name of a cost with `micros` behind it."""

STAND_INS = frozenset(
    map(fold, ("Results", "Reporting starts", "Reporting ends", "date_start", "date_stop", "Start Date (in UTC)")),
) | frozenset(map(fold, ("End Date (in UTC)", "Data de início (em UTC)")))
"""Names that count only where no other column of the same meaning is there: their meaning depends on the export."""

PERIOD_EDGES = frozenset(
    map(fold, ("Reporting starts", "date_start", "Reporting ends", "date_stop", "End Date (in UTC)")),
)
"""Names of a period's first or last day, which is the day only where the other edge is the same."""

_LINKEDIN_GROUPS = frozenset(
    map(
        fold, ("Campaign Group ID", "Campaign Group Name", "Código do grupo de campanhas", "Nome do grupo de campanhas")
    ),
)
_LINKEDIN_SHIFT = {
    fold(name): column
    for column in (Column.AD_GROUP_ID, Column.AD_GROUP_NAME)
    for source in SOURCES
    if source.title == "LinkedIn"
    for name in source.names[column]
}
_MEANINGS = {
    fold(name): column
    for source in reversed(SOURCES)
    for column, names in source.names.items()
    for name in names
    if not (source.title == "LinkedIn" and fold(name) in _LINKEDIN_SHIFT)
}
KNOWN = frozenset(_MEANINGS) | frozenset(_LINKEDIN_SHIFT)
"""All names, folded."""
_MICROS = re.compile(r"^(?P<name>.+?)(in)?micros$")
_IN_CURRENCY = re.compile(r"^(?P<name>.*\S)\s*\((?P<code>[A-Z]{3})\)\s*$")


@dataclass(frozen=True)
class Meaning:
    """What a header's name means: the column, and what the name says about its values."""

    column: Column
    micros: bool = False
    stand_in: bool = False
    currency: str | None = None


@dataclass(frozen=True)
class Dictionary:
    """The dictionary as it applies to one header row: some names mean another thing beside certain others."""

    names: Collection[str]
    folded: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Fold the names once."""
        object.__setattr__(self, "folded", frozenset(fold(name) for name in self.names))

    def meaning(self, name: str) -> Meaning | None:
        """Return what a name means, None for one we do not know."""
        key = fold(name)
        if self.folded & _LINKEDIN_GROUPS and key in _LINKEDIN_SHIFT:
            return Meaning(_LINKEDIN_SHIFT[key])
        if key in _MEANINGS:
            return Meaning(_MEANINGS[key], key in IN_MICROS, key in STAND_INS)
        in_micros = _MICROS.match(key)
        if in_micros and _MEANINGS.get(in_micros["name"]) is Column.COST:
            return Meaning(Column.COST, micros=True)
        in_currency = _IN_CURRENCY.match(name)
        if in_currency and _MEANINGS.get(fold(in_currency["name"])) is Column.COST:
            return Meaning(Column.COST, fold(in_currency["name"]) in IN_MICROS, currency=in_currency["code"])
        return None


_NAMES = {source.title: {fold(name) for names in source.names.values() for name in names} for source in SOURCES}


def none_marks(names: Collection[str]) -> tuple[str, ...]:
    """Return what the export with these (known) column names writes for a count of none, besides 0."""
    folded = {fold(_IN_CURRENCY.sub(r"\g<name>", name)) for name in names}
    shared = {source.title: len(folded & _NAMES[source.title]) for source in SOURCES}
    likely = [set(source.none_marks) for source in SOURCES if shared[source.title] == max(shared.values())]
    return tuple(sorted(set.intersection(*likely)))
