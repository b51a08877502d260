"""What a header row says a file describes, and where each of its columns stands.

Pure: no framework, no files.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.ingest.api.reading.dictionary import PERIOD_EDGES, Dictionary, Meaning, fold, none_marks
from services.ingest.api.reading.sources import Column
from shared.messages import Kind


@dataclass(frozen=True)
class Shape:
    """The columns that a kind of file must have, and those it may."""

    required: tuple[Column, ...]
    optional: tuple[Column, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them, in the order in which a row is checked."""
        return self.required + self.optional


METRICS = (Column.IMPRESSIONS, Column.CLICKS, Column.CONVERSIONS, Column.COST)

# The most specific kind first: an export of ad groups may well name their campaigns.
SHAPES: dict[Kind, Shape] = {
    Kind.AD_GROUP_STATS: Shape((Column.DATE, Column.AD_GROUP_ID, *METRICS), (Column.DEVICE,)),
    Kind.AD_GROUPS: Shape((Column.AD_GROUP_ID, Column.AD_GROUP_NAME, Column.CAMPAIGN_ID)),
    Kind.CAMPAIGNS: Shape((Column.CAMPAIGN_ID, Column.CAMPAIGN_NAME), (Column.CAMPAIGN_TYPE,)),
}

ADD = {
    Column.DATE: "It has no day column, so its numbers are totals of a period. Add the day to the export (Google Ads "
    "and Meta: Day; Microsoft: TimePeriod; TikTok: By Day).",
    Column.AD_GROUP_ID: "It has no ad group ids, so its rows are about campaigns or names, which cannot be loaded yet. "
    "Add the column Ad group ID to the export (Microsoft: AdGroupId; Meta: Ad set ID; LinkedIn: Campaign Group ID and "
    "Campaign ID). Performance Max campaigns have no ad groups; leave them out.",
    Column.IMPRESSIONS: "Add the impressions to the export.",
    Column.CLICKS: "Add the clicks to the export.",
    Column.CONVERSIONS: "Add the conversions to the export.",
    Column.COST: "Add the cost to the export.",
}
_TELLING_METRICS = 2
"""How many columns of metrics make a file one of stats, whatever else it lacks."""


class HeaderError(ValueError):
    """The header row does not say what the file describes; the message names what it has and what is wanted."""


@dataclass(frozen=True)
class Place:
    """Where a column stands, under which name, and how its values are meant."""

    position: int
    name: str
    micros: bool = False


@dataclass(frozen=True)
class Header:
    """What a header row says: the file's kind, its column names, and where each known column stands.

    `twins` are further columns of the same meaning, which must say the same. `currency` is what names state.
    """

    kind: Kind
    names: tuple[str, ...]
    places: Mapping[Column, Place]
    twins: tuple[tuple[Column, Place], ...] = ()
    currencies: tuple[str, ...] = ()
    currency_places: tuple[Place, ...] = ()
    none_marks: tuple[str, ...] = ()
    identities: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    describes: tuple[Kind, ...] = ()

    @property
    def positions(self) -> dict[Column, int]:
        """Where each column stands."""
        return {column: place.position for column, place in self.places.items()}

    @property
    def ignored(self) -> list[str]:
        """The names of the columns that are not read, in order, each once."""
        read = {place.position for place in self.places.values()} | {place.position for _, place in self.twins}
        read |= {place.position for place in self.currency_places}
        names = (name.strip() for position, name in enumerate(self.names) if position not in read)
        return list(dict.fromkeys(name for name in names if name))


def known(names: Sequence[str]) -> int:
    """Return how many different columns we know are among the names."""
    dictionary = Dictionary(names)
    return len({meaning.column for name in names if (meaning := dictionary.meaning(name))})


def recognise(names: Sequence[str], wanted: Kind | None = None) -> Header:
    """Return what the header row `names` says; raises `HeaderError` unless it fits `wanted`, or any kind."""
    meanings = _meanings(names)
    present = {meaning.column for _, meaning in meanings}
    kind = wanted or _kind(present)
    if kind is None or not set(SHAPES[kind].required) <= present:
        raise HeaderError(_explain(names, wanted, kind, present))
    return _header(kind, tuple(names), meanings)


def _meanings(names: Sequence[str]) -> list[tuple[int, Meaning]]:
    """Return what each known name means, without those that only stand in for another that is there."""
    dictionary = Dictionary(names)
    found = [(position, meaning) for position, name in enumerate(names) if (meaning := dictionary.meaning(name))]
    certain = {meaning.column for _, meaning in found if not meaning.stand_in}
    kept = [(position, meaning) for position, meaning in found if not (meaning.stand_in and meaning.column in certain)]
    dates = [position for position, meaning in kept if meaning.column is Column.DATE]
    if len(dates) == 1 and fold(names[dates[0]]) in PERIOD_EDGES:
        return [(position, meaning) for position, meaning in kept if meaning.column is not Column.DATE]
    return kept


def _kind(present: set[Column]) -> Kind | None:
    if len(present & set(METRICS)) >= _TELLING_METRICS:
        return Kind.AD_GROUP_STATS
    return next((kind for kind, shape in SHAPES.items() if set(shape.required) <= present), None)


def _header(kind: Kind, names: tuple[str, ...], meanings: list[tuple[int, Meaning]]) -> Header:
    present = {meaning.column for _, meaning in meanings}
    places: dict[Column, Place] = {}
    twins: list[tuple[Column, Place]] = []
    for position, meaning in meanings:
        if meaning.column in SHAPES[kind].columns:
            place = Place(position, names[position].strip(), meaning.micros)
            if meaning.column in places:
                twins.append((meaning.column, place))
            else:
                places[meaning.column] = place
    stats = kind is Kind.AD_GROUP_STATS
    return Header(
        kind,
        names,
        {column: places[column] for column in SHAPES[kind].columns if column in places},
        tuple(twins),
        tuple(sorted({meaning.currency for _, meaning in meanings if meaning.currency and stats})),
        tuple(Place(at, names[at].strip()) for at in _at(meanings, {Column.CURRENCY}) if stats),
        none_marks([names[position] for position, _ in meanings]),
        tuple(_at(meanings, set(_IDENTITIES))),
        tuple(_at(meanings, {Column.CAMPAIGN_ID, Column.AD_GROUP_ID})),
        tuple(each for each, shape in SHAPES.items() if each is not kind and set(shape.required) <= present),
    )


_IDENTITIES = (Column.CAMPAIGN_ID, Column.CAMPAIGN_NAME, Column.AD_GROUP_ID, Column.AD_GROUP_NAME)


def _at(meanings: Iterable[tuple[int, Meaning]], columns: set[Column]) -> list[int]:
    return [position for position, meaning in meanings if meaning.column in columns]


def _explain(names: Sequence[str], wanted: Kind | None, kind: Kind | None, present: set[Column]) -> str:
    found = ", ".join(" ".join(name.split())[:60] or "(no name)" for name in names[:30])
    what = f"The header row has the columns: {found.removesuffix('.')}."
    kinds = [each for each in (wanted, kind) if each][:1] or list(SHAPES)
    needs = "; ".join(f"{each} needs {', '.join(SHAPES[each].required)}" for each in kinds)
    advice = [ADD[column] for column in ADD if column not in present] if kind is Kind.AD_GROUP_STATS else []
    return " ".join([what, f"{needs}.", *advice])
