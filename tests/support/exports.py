"""Exports of ad platforms, made up: the rows that they say, and how a file of each platform says them."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from tests.support.reading import Sums

METRICS = ("impressions", "clicks", "conversions", "cost")
READ = ("date", "ad_group_id", "device", *METRICS)
DEVICES = ("UNKNOWN", "MOBILE", "DESKTOP", "TABLET", "CONNECTED_TV", "OTHER")
"""Our names of devices, each in the place of its code."""

SINGULAR_DEVICES = {"DESKTOP": "Computer", "MOBILE": "Smartphone", "TABLET": "Tablet", "CONNECTED_TV": "TV screens"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one row of an export says."""

    day: date
    campaign: str
    campaign_id: int
    ad_group: str
    ad_group_id: int
    device: str
    impressions: int
    clicks: int
    conversions: Decimal
    cost: Decimal
    campaign_type: str = "SEARCH"


def row(day: int, group: tuple[str, int, str, int], device: str, *metrics: str) -> Row:
    """Return a row of May 2025."""
    campaign, campaign_id, ad_group, ad_group_id = group
    impressions, clicks, conversions, cost = metrics
    return Row(
        day=date(2025, 5, day),
        campaign=campaign,
        campaign_id=campaign_id,
        ad_group=ad_group,
        ad_group_id=ad_group_id,
        device=device,
        impressions=int(impressions),
        clicks=int(clicks),
        conversions=Decimal(conversions),
        cost=Decimal(cost),
    )


# Ids of 17 and 18 digits, which no float holds; names with what CSV must quote; the last two are alike on purpose.
TENTS = ("Camping, outdoor", 20345678901234567, 'Tents "family"', 123456789012345679)
STOVES = ("Camping, outdoor", 20345678901234567, "Stoves; gas", 98765432109876543)
BOOTS = ("Stiefel für Regen", 436534626, "Boots", 402718365914)
ROWS = (
    row(5, TENTS, "DESKTOP", "1356884", "20412", "312.50", "103606.77"),
    row(5, TENTS, "MOBILE", "88200", "1888", "33.00", "1683.00"),
    row(6, STOVES, "TABLET", "950", "7", "0.50", "15.25"),
    row(6, STOVES, "CONNECTED_TV", "40", "0", "0.00", "0.00"),
    row(13, BOOTS, "MOBILE", "500", "25", "2.00", "454.06"),
    row(13, BOOTS, "MOBILE", "500", "25", "2.00", "454.06"),
)


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file, and what must be found in it."""

    content: bytes
    rows: Sequence[Row] = ROWS
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our columns and the header of each in this file."""
    encoding: str = "utf-8"
    delimiter: str = ","
    header_line: int = 1
    preamble: Sequence[str] = ()
    rows_total: int = 0
    reconciled: Sequence[str] = ()
    """The metrics whose total the file states; it agrees with the rows."""
    currency: str | None = None
    locale: str | None = None
    date_order: str | None = None

    @property
    def sums(self) -> Sums:
        """What must be loaded."""
        return sums(self.rows, devices="device" in self.columns)


def sums(rows: Iterable[Row], *, devices: bool = True) -> Sums:
    """Return what rows say about each key; without `devices` the file does not tell them."""
    found: Sums = {}
    for each in rows:
        key = (each.ad_group_id, each.day.isoformat(), DEVICES.index(each.device) if devices else 0)
        values = (each.impressions, each.clicks, int(each.conversions * 10**6), int(each.cost * 10**6))
        impressions, clicks, conversions, cost = (
            a + b for a, b in zip(found.get(key, (0, 0, 0, 0)), values, strict=True)
        )
        found[key] = (impressions, clicks, conversions, cost)
    return found


def total(rows: Iterable[Row]) -> Row:
    """Return a row with the sums of all rows as its metrics."""
    rows = list(rows)
    return replace(
        rows[0],
        impressions=sum(each.impressions for each in rows),
        clicks=sum(each.clicks for each in rows),
        conversions=sum((each.conversions for each in rows), Decimal(0)),
        cost=sum((each.cost for each in rows), Decimal(0)),
    )


def table(records: Iterable[Sequence[object]], *, delimiter: str = ",", end: str = "\n", quoted: bool = False) -> str:
    """Return records as CSV text."""
    text = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=style).writerows(records)
    return text.getvalue()


def grouped(number: Decimal | int, thousands: str = ",", decimal: str = ".") -> str:
    """Return a number with its thousands set apart."""
    return f"{number:,}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


FIELDS = {"date": "day", "campaign_name": "campaign", "ad_group_name": "ad_group"}
"""Where a row keeps the columns that it calls by another name."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The columns of an export, in order, and how it writes what stands in them."""

    headers: Mapping[str, str]
    extra: Mapping[str, str] = field(default_factory=dict)
    """Columns that are not ours, and what stands in each."""
    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    """How the columns are written that are not written plainly."""

    @property
    def header(self) -> list[str]:
        """The header row."""
        return [*self.headers.values(), *self.extra]

    def record(self, each: Row) -> list[str]:
        """Return a row as the export has it."""
        values = [(name, getattr(each, FIELDS.get(name, name))) for name in self.headers]
        return [*(self.formats.get(name, str)(value) for name, value in values), *self.extra.values()]

    def records(self, rows: Iterable[Row] = ROWS) -> list[list[str]]:
        """Return the header row and the rows."""
        return [self.header, *(self.record(each) for each in rows)]

    def summary(self, rows: Iterable[Row], metrics: Iterable[str], blank: str, **labels: str) -> list[str]:
        """Return a row of totals: sums under the metrics, `labels` where they belong, `blank` elsewhere."""
        cells = dict(zip(self.headers, self.record(total(rows)), strict=False))
        shown = {**{name: cells[name] for name in metrics}, **labels}
        return [*(shown.get(name, blank) for name in self.headers), *(blank for _ in self.extra)]

    def reading(self) -> dict[str, str]:
        """Return the columns that a file of stats is read from."""
        return {name: header for name, header in self.headers.items() if name in READ}
