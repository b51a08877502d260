"""Exports as Microsoft Advertising writes them."""

from dataclasses import replace

from tests.support.exports import METRICS, ROWS, SINGULAR_DEVICES, Export, Layout, table

MICROSOFT = Layout(
    headers={
        "date": "TimePeriod",
        "campaign_id": "CampaignId",
        "campaign_name": "CampaignName",
        "campaign_type": "CampaignType",
        "ad_group_id": "AdGroupId",
        "ad_group_name": "AdGroupName",
        "device": "DeviceType",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "conversions": "Conversions",
        "cost": "Spend",
    },
    extra={"CurrencyCode": "GBP", "QualityScore": ""},
    formats={"device": SINGULAR_DEVICES.__getitem__},
)
METADATA = (
    "Report Name: Ad group performance",
    "Report Time: 5/1/2025,5/31/2025",
    "Time Zone: (GMT) Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London",
    "Last Completed Available Day: 6/1/2025 11:55:00 PM",
    "Last Completed Available Hour: 6/2/2025 5:00:00 AM",
    "Report Aggregation: Daily",
    "Report Filter: ",
    "Potential Incomplete Data: true",
    f"Rows: {len(ROWS)}",
)


def report() -> Export:
    """Return a report of Microsoft's API: metadata, everything quoted, a footer with the copyright."""
    head = [f'"{line}"' for line in METADATA]
    body = table(MICROSOFT.records(), end="\r\n", quoted=True)
    text = "\r\n".join([*head, "", ""]) + body + '\r\n"©2025 Microsoft Corporation. All rights reserved. "\r\n'
    return Export(
        content=b"\xef\xbb\xbf" + text.encode(),
        columns=MICROSOFT.reading(),
        header_line=11,
        preamble=head,
        rows_total=1,
        currency="GBP",
    )


def gregorian() -> Export:
    """Return the older report of Microsoft: its days are times of the day with an hour behind them, ids in brackets."""
    layout = replace(
        MICROSOFT,
        headers={**MICROSOFT.headers, "date": "GregorianDate", "campaign_id": "Campaign ID"},
        formats={
            **MICROSOFT.formats,
            "date": lambda day: f"{day.month}/{day.day}/{day.year} 12:00:00 AM|11",
            "campaign_id": "[{}]".format,
        },
    )
    return Export(content=table(layout.records()).encode(), columns=layout.reading(), currency="GBP")


def grid() -> Export:
    """Return what Microsoft's grid exports: no days; totals whose label ends in `total`."""
    layout = replace(MICROSOFT, headers={name: head for name, head in MICROSOFT.headers.items() if name != "date"})
    labels = ("Search total", "Audience total", "Overall total")
    records = [*layout.records(), *(layout.summary(ROWS, METRICS, "-", campaign_id=label) for label in labels)]
    return Export(content=b"\xef\xbb\xbf" + table(records).encode(), rows_total=3)


def grid_by_day() -> Export:
    """Return the same with a column of days."""
    labels = ("Search total", "Overall total")
    records = [*MICROSOFT.records(), *(MICROSOFT.summary(ROWS, METRICS, "-", date=label) for label in labels)]
    return Export(
        content=b"\xef\xbb\xbf" + table(records).encode(),
        columns=MICROSOFT.reading(),
        rows_total=2,
        reconciled=METRICS,
        currency="GBP",
    )
