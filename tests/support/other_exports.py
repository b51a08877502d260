"""Exports as Meta, LinkedIn, TikTok, Amazon and data warehouses write them."""

from collections.abc import Sequence
from dataclasses import replace

from tests.support.exports import METRICS, ROWS, SINGULAR_DEVICES, Export, Layout, Row, grouped, table

META = Layout(
    headers={
        "campaign_name": "Campaign name",
        "campaign_id": "Campaign ID",
        "ad_group_name": "Ad set name",
        "ad_group_id": "Ad set ID",
        "date": "Day",
        "device": "Impression device",
        "impressions": "Impressions",
        "clicks": "Clicks (all)",
        "conversions": "Results",
        "cost": "Amount spent (IDR)",
    },
    extra={"Reach": "7", "Frequency": "1.25"},
    formats={"device": SINGULAR_DEVICES.__getitem__},
)
LINKEDIN = Layout(
    headers={
        "date": "Start Date (in UTC)",
        "campaign_id": "Campaign Group ID",
        "campaign_name": "Campaign Group Name",
        "campaign_type": "Campaign Type",
        "ad_group_id": "Campaign ID",
        "ad_group_name": "Campaign Name",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "conversions": "Conversions",
        "cost": "Total Spent",
    },
    extra={"Currency": "USD", "Leads": ""},
    formats={"date": lambda day: day.strftime("%d/%m/%Y")},
)
LINKEDIN_PORTUGUESE = Layout(
    headers={
        "date": "Data de início (em UTC)",
        "campaign_id": "Código do grupo de campanhas",
        "ad_group_id": "Código da campanha",
        "ad_group_name": "Nome da campanha",
        "impressions": "Impressões",
        "clicks": "Cliques",
        "conversions": "Conversões",
        "cost": "Total investido",
    },
    extra={"Moeda": "BRL"},
    formats={
        "date": lambda day: day.strftime("%d/%m/%Y"),
        "conversions": lambda number: str(number).replace(".", ","),
        "cost": lambda units: str(units).replace(".", ","),
    },
)
TIKTOK = Layout(
    headers={
        "ad_group_name": "Ad group name",
        "ad_group_id": "Ad group ID",
        "campaign_name": "Campaign name",
        "campaign_id": "Campaign ID",
        "date": "By Day",
        "cost": "Cost",
        "impressions": "Impressions",
        "clicks": "Clicks (destination)",
        "conversions": "Conversions",
    },
    extra={"Currency": "KRW"},
)
TIKTOK_KOREAN = replace(
    TIKTOK,
    headers={
        "ad_group_name": "광고 그룹 이름",
        "ad_group_id": "광고 그룹 ID",
        "campaign_name": "캠페인 이름",
        "campaign_id": "캠페인 ID",
        "date": "일별",
        "cost": "비용",
        "impressions": "노출수",
        "clicks": "클릭수(목적지)",
        "conversions": "전환수",
    },
    extra={"통화": "KRW"},
)
AMAZON = Layout(
    headers={
        "date": "Date",
        "campaign_name": "Campaign Name",
        "ad_group_name": "Ad Group Name",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "cost": "Spend",
        "conversions": "14 Day Total Orders (#)",
    },
    extra={"Click-Thru Rate (CTR)": "0.2110%", "14 Day Total Sales": "Rs.0.00"},
    formats={
        "date": lambda day: f"May {day.day}, {day.year}",
        "cost": lambda units: f"Rs.{grouped(units)}",
    },
)
WAREHOUSE = Layout(
    headers={
        "date": "date_day",
        "campaign_id": "campaign_id",
        "campaign_name": "campaign_name",
        "campaign_type": "advertising_channel_type",
        "ad_group_id": "ad_group_id",
        "ad_group_name": "ad_group_name",
        "device": "device_type",
        "clicks": "clicks",
        "impressions": "impressions",
        "conversions": "conversions",
        "cost": "spend_in_micro_dollar",
    },
    formats={"cost": lambda units: str(int(units * 10**6))},
)
LINKEDIN_HEAD = (
    "Campaign Performance Report (in UTC)",
    "Report Start: May 1, 2025, 12:00 AM",
    "Report End: May 31, 2025, 11:59 PM",
    "Date Generated: June 2, 2025, 8:15 AM",
)


def meta(*, grand_total: bool = True, header: str = "Day") -> Export:
    """Return a file of Meta's ads manager: newest first, the grand total before all; the currency in a header."""
    layout = replace(META, headers={**META.headers, "date": header})
    records = layout.records(sorted(ROWS, key=lambda each: each.day, reverse=True))
    if grand_total:
        records.insert(1, layout.summary(ROWS, METRICS, ""))
    if header == "Reporting starts":
        at = records[0].index(header)
        records = [[*record, "Reporting ends" if number == 0 else record[at]] for number, record in enumerate(records)]
    return Export(
        content=b"\xef\xbb\xbf" + table(records).encode(),
        columns=layout.reading(),
        rows_total=int(grand_total),
        reconciled=METRICS if grand_total else (),
        currency="IDR",
    )


def linkedin(*, blank: bool = True) -> Export:
    """Return a report of LinkedIn's campaign manager: UTF-16 with tabs, four or five lines before the header."""
    preamble = [*LINKEDIN_HEAD, ""] if blank else [*LINKEDIN_HEAD]
    text = "\n".join(preamble) + "\n" + table(LINKEDIN.records(), delimiter="\t")
    return Export(
        content=b"\xff\xfe" + text.encode("utf-16-le"),
        columns=LINKEDIN.reading(),
        encoding="utf-16-le",
        delimiter="\t",
        header_line=len(preamble) + 1,
        preamble=LINKEDIN_HEAD,
        currency="USD",
        date_order="dmy",
    )


def linkedin_portuguese() -> Export:
    """Return the same from Brazil."""
    text = "\n".join(LINKEDIN_HEAD) + "\n" + table(LINKEDIN_PORTUGUESE.records(), delimiter="\t")
    return replace(
        linkedin(blank=False),
        content=b"\xff\xfe" + text.encode("utf-16-le"),
        columns=LINKEDIN_PORTUGUESE.reading(),
        currency="BRL",
        locale="comma",
    )


def tiktok(layout: Layout = TIKTOK, label: str = "Total of 285 results") -> Export:
    """Return a file of TikTok's ads manager: 853 columns, of which eleven stand twice, and a total in the last line."""
    others = [f"Metric {number}" for number in range(853 - len(layout.header) - 11)]
    wide = replace(layout, extra={**layout.extra, **dict.fromkeys(others, "-")})
    records = wide.records()
    summary = wide.summary(ROWS, METRICS, "-", ad_group_name=label)
    filled = [
        [*record, *(others[:11] if number == 0 else ["-"] * 11)] for number, record in enumerate([*records, summary])
    ]
    return Export(
        content=b"\xef\xbb\xbf" + table(filled).encode(),
        columns=wide.reading(),
        rows_total=1,
        reconciled=METRICS,
        currency="KRW",
    )


def amazon(*, ids: bool) -> Export:
    """Return a report of Amazon's sponsored products, which has no ids; with `ids`, as if it had those of ad groups."""
    headers = {**AMAZON.headers, "ad_group_id": "Ad Group ID"} if ids else AMAZON.headers
    layout = replace(AMAZON, headers=headers)
    return Export(content=table(layout.records()).encode(), columns=layout.reading(), currency="INR")


def warehouse() -> Export:
    """Return a table as warehouses keep it, money in micros."""
    return Export(content=table(WAREHOUSE.records()).encode(), columns=WAREHOUSE.reading())


def hourly(rows: Sequence[Row] = ROWS) -> Export:
    """Return a table that is finer than a day: each row says one hour of it."""
    layout = replace(WAREHOUSE, headers={**WAREHOUSE.headers, "date": "stat_time_hour"})
    records = layout.records(rows)
    at = layout.header.index("stat_time_hour")
    for hour, record in enumerate(records[1:]):
        record[at] += f" {hour:02}:00:00"
    return Export(content=table(records).encode(), columns=layout.reading())
