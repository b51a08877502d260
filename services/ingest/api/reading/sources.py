"""The columns we know, and what each ad platform calls them.

Pure: data. `docs/columns.md` is written from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
