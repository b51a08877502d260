"""The shapes of the answers; money in currency units, ratios as fractions, percent as 12.5 for 12.5 %."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Campaign(msgspec.Struct, frozen=True):
    """A campaign with its ad groups; `Unattributed` stands for stats whose campaign nobody has named yet."""

    campaign_id: int | None
    campaign_name: str | None
    campaign_type: str | None
    num_ad_groups: int
    ad_group_names: list[str]
    average_monthly_cost: Decimal | None
    average_cost_per_conversion: Decimal | None


class Point(msgspec.Struct, frozen=True):
    """What a campaign did in one step of a time series; `date` is the step's first day."""

    date: date
    campaign_id: int | None
    campaign_name: str | None
    total_cost: Decimal
    total_clicks: int
    total_conversions: Decimal
    total_impressions: int
    avg_cost_per_click: Decimal | None
    avg_cost_per_conversion: Decimal | None
    avg_click_through_rate: Decimal | None
    avg_conversion_rate: Decimal | None


class Metrics(msgspec.Struct, frozen=True):
    """Totals and ratios; a ratio is null where its divisor is 0."""

    total_cost: Decimal
    total_clicks: int
    total_conversions: Decimal
    total_impressions: int
    cost_per_click: Decimal | None
    cost_per_conversion: Decimal | None
    cost_per_impression: Decimal | None
    click_through_rate: Decimal | None
    conversion_rate: Decimal | None


class PeriodMetrics(Metrics, frozen=True):
    """What happened in a period, both ends inclusive."""

    start_date: date
    end_date: date


class Change(msgspec.Struct, frozen=True):
    """How much each number changed, in percent; null where there is nothing to compare with."""

    total_cost: Decimal | None
    total_clicks: Decimal | None
    total_conversions: Decimal | None
    total_impressions: Decimal | None
    cost_per_click: Decimal | None
    cost_per_conversion: Decimal | None
    cost_per_impression: Decimal | None
    click_through_rate: Decimal | None
    conversion_rate: Decimal | None


class Comparison(msgspec.Struct, frozen=True):
    """A period beside the one before it."""

    before_period: PeriodMetrics
    current_period: PeriodMetrics
    change_in_percentage: Change


class Upload(msgspec.Struct, frozen=True):
    """An upload as it stands; `state` is that of its current attempt."""

    id: UUID
    kind: str
    mode: str
    filename: str
    state: str
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    received_at: datetime
    applied_at: datetime | None
    reason: str | None
    batches: int
    batches_seen: int
    attempts: int


class Rejection(msgspec.Struct, frozen=True):
    """A row that was not loaded: where, what, and why; `column` is null where the whole row is at fault."""

    line: int
    column: str | None
    value: str | None
    reason: str
