"""The shapes of the answers; money in currency units, ratios as fractions, percent as 12.5 for 12.5 %."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from shared.docs import Filename, ReceivedAt, RowsAccepted, RowsMerged, RowsRead, RowsRejected, UploadId

CampaignId = Annotated[int | None, Meta(description="Null for `Unattributed`.")]
CampaignName = Annotated[
    str | None,
    Meta(
        description="`Unattributed` for ad groups whose campaign no file has told; null for a campaign not named yet."
    ),
]

Cost = Annotated[Decimal, Meta(description="In currency units.")]
Clicks = Annotated[int, Meta(description="How often the ads were clicked.")]
Conversions = Annotated[Decimal, Meta(description="May be fractions: platforms share one out among several ads.")]
Impressions = Annotated[int, Meta(description="How often the ads were shown.")]

CostPerClick = Annotated[Decimal | None, Meta(description="Cost / clicks; null without clicks.")]
CostPerConversion = Annotated[Decimal | None, Meta(description="Cost / conversions; null without conversions.")]
CostPerImpression = Annotated[Decimal | None, Meta(description="Cost / impressions; null without impressions.")]
ClickThroughRate = Annotated[Decimal | None, Meta(description="Clicks / impressions; null without impressions.")]
ConversionRate = Annotated[Decimal | None, Meta(description="Conversions / clicks; null without clicks.")]

Percent = Annotated[
    Decimal | None,
    Meta(description="12.5 for 12.5 %; null where it was 0 or null before, or is null now."),
]


class Campaign(msgspec.Struct, frozen=True, gc=False):
    """A campaign with its ad groups; `Unattributed` stands for stats whose campaign nobody has named yet."""

    campaign_id: CampaignId
    campaign_name: CampaignName
    campaign_type: Annotated[str | None, Meta(description="As the ad platform names it; null until a file tells it.")]
    num_ad_groups: Annotated[int, Meta(description="How many ad groups it has.")]
    ad_group_names: Annotated[
        list[str],
        Meta(description="Ordered by name; last those without one, which go by their ids."),
    ]
    average_monthly_cost: Annotated[
        Decimal | None,
        Meta(description="The mean of its monthly totals over the calendar months with data; null without data."),
    ]
    average_cost_per_conversion: Annotated[
        Decimal | None,
        Meta(description="Total cost / total conversions; null without conversions."),
    ]


class Point(msgspec.Struct, frozen=True, gc=False):
    """What a campaign did in one step of a time series."""

    date: Annotated[date, Meta(description="The day, or the first day of the ISO week or month.")]
    campaign_id: CampaignId
    campaign_name: CampaignName
    total_cost: Cost
    total_clicks: Clicks
    total_conversions: Conversions
    total_impressions: Impressions
    avg_cost_per_click: CostPerClick
    avg_cost_per_conversion: CostPerConversion
    avg_click_through_rate: ClickThroughRate
    avg_conversion_rate: ConversionRate


class Metrics(msgspec.Struct, frozen=True):
    """Totals and ratios; a ratio is null where its divisor is 0."""

    total_cost: Cost
    total_clicks: Clicks
    total_conversions: Conversions
    total_impressions: Impressions
    cost_per_click: CostPerClick
    cost_per_conversion: CostPerConversion
    cost_per_impression: CostPerImpression
    click_through_rate: ClickThroughRate
    conversion_rate: ConversionRate


class PeriodMetrics(Metrics, frozen=True):
    """What all campaigns did in a period, both ends inclusive; a period without data has totals of 0."""

    start_date: Annotated[date, Meta(description="The first day.")]
    end_date: Annotated[date, Meta(description="The last day, inclusive.")]


class Change(msgspec.Struct, frozen=True):
    """How much each number changed, in percent; null where there is nothing to compare with."""

    total_cost: Percent
    total_clicks: Percent
    total_conversions: Percent
    total_impressions: Percent
    cost_per_click: Percent
    cost_per_conversion: Percent
    cost_per_impression: Percent
    click_through_rate: Percent
    conversion_rate: Percent


class Comparison(msgspec.Struct, frozen=True):
    """A period beside the one before it."""

    before_period: Annotated[PeriodMetrics, Meta(description="The period compared with.")]
    current_period: Annotated[PeriodMetrics, Meta(description="The period asked for.")]
    change_in_percentage: Annotated[Change, Meta(description="From the exact values, not from the rounded ones.")]


class Upload(msgspec.Struct, frozen=True):
    """An upload as it stands; `state` is that of its current attempt."""

    id: UploadId
    kind: Annotated[str, Meta(description="`campaigns`, `ad_groups` or `ad_group_stats`.")]
    mode: Annotated[str, Meta(description="`upsert` or `add`.")]
    filename: Filename
    state: Annotated[
        str,
        Meta(
            description="`staging` while parts are on their way, `complete` when all are here, `applied` once its "
            "numbers can be read, `reverted` once they are taken back; else `failed` (`reason` says why) or "
            "`abandoned`.",
        ),
    ]
    rows_read: RowsRead
    rows_accepted: RowsAccepted
    rows_merged: RowsMerged
    rows_rejected: RowsRejected
    keys_new: Annotated[int | None, Meta(description="How many keys it gave their first value; null until applied.")]
    keys_changed: Annotated[int | None, Meta(description="How many keys it gave another value; null until applied.")]
    received_at: ReceivedAt
    applied_at: Annotated[datetime | None, Meta(description="When its numbers could first be read; null until then.")]
    reverted_at: Annotated[datetime | None, Meta(description="When it was last asked to be taken back, if ever.")]
    reason: Annotated[str | None, Meta(description="Why it failed; else null.")]
    batches: Annotated[int, Meta(description="In how many parts it travels through the queue.")]
    batches_seen: Annotated[int, Meta(description="How many of them have arrived.")]
    attempts: Annotated[int, Meta(description="How often it was sent.")]


class Rejection(msgspec.Struct, frozen=True):
    """A row that was not loaded: where, what, and why."""

    line: Annotated[int, Meta(description="Its line in the file; the header is line 1.")]
    column: Annotated[str | None, Meta(description="Null where the whole row is at fault.")]
    value: Annotated[str | None, Meta(description="The text of the column, or of the row.")]
    reason: Annotated[str, Meta(description="What is wrong with it; reads on from the value.")]
