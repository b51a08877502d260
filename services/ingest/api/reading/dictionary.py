"""The names that ad platforms give to the columns we know: the dictionary of header rows.

Pure: no framework, no files. Names are compared folded (`fold`), so `Ad group ID`, `AdGroupId` and `ad_group.id`
are one name. `docs/columns.md` is written from it.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
    CURRENCY = "currency"


@dataclass(frozen=True)
class Source:
    """A kind of export: its names of our columns, and what it writes for a count of none besides 0."""

    title: str
    names: Mapping[Column, tuple[str, ...]]
    none_marks: tuple[str, ...] = ()


def fold(name: str) -> str:
    """Return a column's name without case, spaces and punctuation, as names are compared."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


OURS = Source("adledger", {column: (str(column),) for column in Column})

SOURCES = (
    OURS,
    Source(
        "Google Ads, user interface",
        {
            Column.DATE: ("Day", "Dia"),
            Column.CAMPAIGN_ID: ("Campaign ID", "ID da campanha"),
            Column.CAMPAIGN_NAME: ("Campaign", "Campanha"),
            Column.CAMPAIGN_TYPE: ("Campaign type", "Tipo de campanha", "Advertising Channel"),
            Column.AD_GROUP_ID: ("Ad group ID", "ID do grupo de anúncios"),
            Column.AD_GROUP_NAME: ("Ad group", "Grupo de anúncios"),
            Column.DEVICE: ("Device", "Dispositivo"),
            Column.IMPRESSIONS: ("Impr.", "Impressions", "Impressões"),
            Column.CLICKS: ("Clicks", "Cliques"),
            Column.CONVERSIONS: ("Conversions", "Conv.", "Conversões"),
            Column.COST: ("Cost", "Custo"),
            Column.CURRENCY: ("Currency code", "Currency", "Código da moeda"),
        },
        ("--", "\N{EM DASH}"),
    ),
    Source(
        "Google Ads API",
        {
            Column.DATE: ("segments.date",),
            Column.CAMPAIGN_ID: ("campaign.id",),
            Column.CAMPAIGN_NAME: ("campaign.name",),
            Column.CAMPAIGN_TYPE: ("campaign.advertising_channel_type",),
            Column.AD_GROUP_ID: ("ad_group.id",),
            Column.AD_GROUP_NAME: ("ad_group.name",),
            Column.DEVICE: ("segments.device",),
            Column.IMPRESSIONS: ("metrics.impressions",),
            Column.CLICKS: ("metrics.clicks",),
            Column.CONVERSIONS: ("metrics.conversions",),
            Column.COST: ("metrics.cost_micros",),
            Column.CURRENCY: ("customer.currency_code",),
        },
    ),
    Source(
        "Microsoft Advertising",
        {
            Column.DATE: ("TimePeriod", "GregorianDate"),
            Column.CAMPAIGN_ID: ("CampaignId",),
            Column.CAMPAIGN_NAME: ("CampaignName", "Campaign"),
            Column.CAMPAIGN_TYPE: ("CampaignType",),
            Column.AD_GROUP_ID: ("AdGroupId",),
            Column.AD_GROUP_NAME: ("AdGroupName", "Ad group"),
            Column.DEVICE: ("DeviceType",),
            Column.IMPRESSIONS: ("Impressions", "Impr."),
            Column.CLICKS: ("Clicks",),
            Column.CONVERSIONS: ("Conversions", "Conv."),
            Column.COST: ("Spend",),
            Column.CURRENCY: ("CurrencyCode",),
        },
        ("", "-"),
    ),
    Source(
        "Meta Ads",
        {
            Column.DATE: ("Day", "Reporting starts", "Reporting ends", "date_start", "date_stop"),
            Column.CAMPAIGN_ID: ("Campaign ID",),
            Column.CAMPAIGN_NAME: ("Campaign name",),
            Column.CAMPAIGN_TYPE: ("Objective",),
            Column.AD_GROUP_ID: ("Ad set ID", "adset_id"),
            Column.AD_GROUP_NAME: ("Ad set name", "adset_name"),
            Column.DEVICE: ("Impression device",),
            Column.IMPRESSIONS: ("Impressions",),
            Column.CLICKS: ("Clicks (all)", "Link clicks"),
            Column.CONVERSIONS: ("Results", "Purchases"),
            Column.COST: ("Amount spent",),
            Column.CURRENCY: ("Currency",),
        },
        ("",),
    ),
    Source(
        "LinkedIn",
        {
            Column.DATE: ("Start Date (in UTC)", "End Date (in UTC)", "Data de início (em UTC)"),
            Column.CAMPAIGN_ID: ("Campaign Group ID", "Código do grupo de campanhas"),
            Column.CAMPAIGN_NAME: ("Campaign Group Name", "Nome do grupo de campanhas"),
            Column.CAMPAIGN_TYPE: ("Campaign Type",),
            Column.AD_GROUP_ID: ("Campaign ID", "Código da campanha"),
            Column.AD_GROUP_NAME: ("Campaign Name", "Nome da campanha"),
            Column.IMPRESSIONS: ("Impressions", "Impressões"),
            Column.CLICKS: ("Clicks", "Cliques"),
            Column.CONVERSIONS: ("Conversions", "Conversões"),
            Column.COST: ("Total Spent", "Total investido"),
            Column.CURRENCY: ("Currency", "Moeda"),
        },
        ("",),
    ),
    Source(
        "TikTok",
        {
            Column.DATE: ("By Day", "일별", "stat_time_day", "stat_time_hour"),
            Column.CAMPAIGN_ID: ("Campaign ID", "캠페인 ID"),
            Column.CAMPAIGN_NAME: ("Campaign name", "캠페인 이름"),
            Column.CAMPAIGN_TYPE: ("Objective",),
            Column.AD_GROUP_ID: ("Ad group ID", "광고 그룹 ID"),
            Column.AD_GROUP_NAME: ("Ad group name", "광고 그룹 이름"),
            Column.IMPRESSIONS: ("Impressions", "노출수"),
            Column.CLICKS: ("Clicks (destination)", "클릭수(목적지)"),
            Column.CONVERSIONS: ("Conversions", "전환수"),
            Column.COST: ("Cost", "비용"),
            Column.CURRENCY: ("Currency", "통화"),
        },
        ("-",),
    ),
    Source(
        "Amazon Sponsored Products",
        {
            Column.DATE: ("Date",),
            Column.CAMPAIGN_NAME: ("Campaign Name",),
            Column.CAMPAIGN_TYPE: ("Campaign Type",),
            Column.AD_GROUP_NAME: ("Ad Group Name",),
            Column.IMPRESSIONS: ("Impressions",),
            Column.CLICKS: ("Clicks",),
            Column.CONVERSIONS: ("14 Day Total Orders (#)",),
            Column.COST: ("Spend",),
            Column.CURRENCY: ("Currency",),
        },
        ("",),
    ),
    Source(
        "Tables of data warehouses",
        {
            Column.DATE: ("date", "date_day", "stat_time_day", "stat_time_hour"),
            Column.CAMPAIGN_ID: ("campaign_id",),
            Column.CAMPAIGN_NAME: ("campaign_name",),
            Column.CAMPAIGN_TYPE: ("advertising_channel_type", "campaign_type"),
            Column.AD_GROUP_ID: ("ad_group_id",),
            Column.AD_GROUP_NAME: ("ad_group_name",),
            Column.DEVICE: ("device", "device_type"),
            Column.IMPRESSIONS: ("impressions",),
            Column.CLICKS: ("clicks", "inline_link_clicks", "taps"),
            Column.CONVERSIONS: ("conversions",),
            Column.COST: ("cost", "spend", "cost_micros", "spend_in_micro_dollar"),
            Column.CURRENCY: ("currency", "currency_code"),
        },
    ),
)

IN_MICROS = frozenset({"metricscostmicros", "costmicros", "spendinmicrodollar"})
"""Names of costs in millionths of the currency."""

STAND_INS = frozenset(
    map(fold, ("Results", "Reporting starts", "Reporting ends", "date_start", "date_stop", "Start Date (in UTC)")),
) | frozenset(map(fold, ("End Date (in UTC)", "Data de início (em UTC)")))
"""Names that count only where no other column of the same meaning is there: their meaning depends on the export."""

PERIOD_STARTS = frozenset(map(fold, ("Reporting starts", "date_start")))
"""Names of a period's first day, which is a day's name only beside an equal last day."""

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
        in_currency = _IN_CURRENCY.match(name)
        if in_currency and _MEANINGS.get(fold(in_currency["name"])) is Column.COST:
            return Meaning(Column.COST, fold(in_currency["name"]) in IN_MICROS, currency=in_currency["code"])
        return None


def none_marks(names: Collection[str]) -> tuple[str, ...]:
    """Return what the export with these (known) column names writes for a count of none, besides 0."""
    folded = {fold(_IN_CURRENCY.sub(r"\g<name>", name)) for name in names}
    shared = {source.title: len(folded & _names_of(source)) for source in SOURCES}
    likely = [set(source.none_marks) for source in SOURCES if shared[source.title] == max(shared.values())]
    return tuple(sorted(set.intersection(*likely)))


def _names_of(source: Source) -> set[str]:
    return {fold(name) for names in source.names.values() for name in names}
