"""Writes the sample data: a year of an invented outdoor-equipment shop's ad performance.

The same bytes come out on every machine and every day. Only ``Random.random()`` is drawn from, whose
sequence Python promises to keep, and only the four basic operations follow, which IEEE 754 fixes.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

SEED = 20250101
FIRST_DAY = date(2025, 1, 1)
LAST_DAY = date(2025, 12, 31)
MICRO = 1_000_000

Row = Sequence[str]


class Campaign(NamedTuple):
    """A campaign, how its ads perform and what they cost in millionths of a currency unit."""

    id: int
    name: str
    type: str
    first_day: date
    click_rate: float
    conversion_rate: float
    click_price: int
    impression_price: int


class AdGroup(NamedTuple):
    """An ad group and the impressions it gets on an average day, all devices together."""

    id: int
    name: str
    campaign: Campaign
    impressions: int
    season: Sequence[float]


class Device(NamedTuple):
    """A device, its share of the impressions and the share of days on which it has a row at all."""

    name: str
    share: float
    presence: float


SEARCH = Campaign(30517264981, "Tents and Sleeping", "SEARCH_STANDARD", FIRST_DAY, 0.072, 0.055, 640_000, 0)
SHOPPING = Campaign(31840925673, "Trail Shop", "SHOPPING_PRODUCT_ADS", FIRST_DAY, 0.021, 0.038, 410_000, 0)
DISPLAY = Campaign(32096471358, "Season Reminders", "DISPLAY_STANDARD", FIRST_DAY, 0.006, 0.02, 230_000, 1_150)
VIDEO = Campaign(33672850194, "Stories from the Ridge", "VIDEO_RESPONSIVE", date(2025, 3, 10), 0.003, 0.012, 0, 8_437)
CAMPAIGNS = (SEARCH, SHOPPING, DISPLAY, VIDEO)

# One factor per month, January first.
SUMMER = (0.35, 0.45, 0.7, 1.0, 1.4, 1.75, 1.85, 1.5, 0.95, 0.6, 0.5, 0.55)
WINTER = (1.6, 1.3, 0.9, 0.6, 0.4, 0.3, 0.3, 0.45, 0.85, 1.25, 1.75, 2.0)
ALL_YEAR = (0.8, 0.85, 0.95, 1.05, 1.1, 1.1, 1.0, 1.0, 1.05, 1.0, 1.1, 1.25)

AD_GROUPS = (
    AdGroup(402718365914, "Trekking Tents", SEARCH, 150, SUMMER),
    AdGroup(402718366052, "Family Tents", SEARCH, 110, SUMMER),
    AdGroup(402718367481, "Sleeping Bags", SEARCH, 130, ALL_YEAR),
    AdGroup(402718369207, "Inflatable Mats", SEARCH, 70, SUMMER),
    AdGroup(402718370336, "Hammocks", SEARCH, 40, SUMMER),
    AdGroup(415093827640, "Backpacks", SHOPPING, 420, ALL_YEAR),
    AdGroup(415093828175, "Camp Stoves", SHOPPING, 260, SUMMER),
    AdGroup(415093829963, "Headlamps", SHOPPING, 190, WINTER),
    AdGroup(415093831508, "Water Filters", SHOPPING, 120, SUMMER),
    AdGroup(415093832794, "Snowshoes", SHOPPING, 210, WINTER),
    AdGroup(428651730429, "Returning Visitors", DISPLAY, 620, ALL_YEAR),
    AdGroup(428651731886, "Abandoned Baskets", DISPLAY, 240, ALL_YEAR),
    AdGroup(428651733015, "Après-Ski Readers", DISPLAY, 330, WINTER),
    AdGroup(436204918573, "Hut to Hut", VIDEO, 540, SUMMER),
    AdGroup(436204919248, "First Snow", VIDEO, 380, WINTER),
)

DEVICES = (
    Device("MOBILE", 0.62, 0.97),
    Device("DESKTOP", 0.31, 0.93),
    Device("TABLET", 0.07, 0.62),
)

# One factor per day of the week, Monday first, and the days on which everybody buys.
WEEK = (0.92, 0.88, 0.9, 0.97, 1.05, 1.12, 1.18)
RUSH = {date(2025, 11, 28): 2.3, date(2025, 12, 1): 1.8}

WHOLE_CONVERSIONS = 0.7
REPEATS = 0.017

# Each row is bad in a way of its own and stands among the rows of the day it is filed under.
BAD_ROWS = {
    date(2025, 11, 19): "2025-11-19,415093832794,DESKTOP,97,-3,0,1.118302",
    date(2025, 10, 7): "2025-10-07,402718367481,TABLET,9,1,0,n/a",
    date(2025, 8, 24): "2025-08-24,415093827640,TABLET,32,1,0",
    date(2025, 7, 3): "2025-07-03,415093828175,TABLET,29,2,0,0,904417",
    date(2025, 5, 15): "2025-05-15,428651730429,SMARTFRIDGE,7,0,0,0.008051",
    date(2025, 4, 22): "2025-04-22,9300000000000000007,DESKTOP,21,1,0,0.73",
    date(2025, 2, 28): "2025-02-30,402718365914,MOBILE,64,5,1,3.904417",
    date(2025, 1, 16): ",415093832794,DESKTOP,88,3,0,1.270958",
}


def decimal(micros: int) -> str:
    """Write millionths as a plain decimal without trailing zeros."""
    whole, part = divmod(micros, MICRO)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def days() -> Iterator[date]:
    """Go back through the year, newest day first, as the ad platforms export it."""
    for back in range((LAST_DAY - FIRST_DAY).days + 1):
        yield LAST_DAY - timedelta(days=back)


def season(factors: Sequence[float], day: date) -> float:
    """Let a month's factor glide into the next month's."""
    now, later = factors[day.month - 1], factors[day.month % len(factors)]
    return now + (later - now) * (day.day - 1) / 31


def hits(rng: Random, tries: int, chance: float) -> int:
    """Count the tries that succeed, never more than there are."""
    return sum(rng.random() < chance for _ in range(tries))


def conversion_micros(rng: Random) -> int:
    """Count a conversion fully, or for the part that the platform attributes to the click."""
    return MICRO if rng.random() < WHOLE_CONVERSIONS else int(rng.random() * MICRO)


def impressions(rng: Random, ad_group: AdGroup, device: Device, day: date) -> int:
    """Bend the average day by device, season, weekday, rush days and luck."""
    if day < ad_group.campaign.first_day or rng.random() > device.presence:
        return 0
    shape = season(ad_group.season, day) * WEEK[day.weekday()] * RUSH.get(day, 1)
    luck = 0.5 + (rng.random() + rng.random()) / 2
    return int(ad_group.impressions * device.share * shape * luck)


def stat_row(rng: Random, day: date, ad_group: AdGroup, device: Device, seen: int) -> Row:
    """Derive a stat row from how often the ads were seen."""
    campaign = ad_group.campaign
    clicks = hits(rng, seen, campaign.click_rate)
    converted = hits(rng, clicks, campaign.conversion_rate)
    conversions = sum(conversion_micros(rng) for _ in range(converted))
    full_price = clicks * campaign.click_price + seen * campaign.impression_price
    cost = int(full_price * (0.7 + 0.6 * rng.random()))
    metrics = (str(seen), str(clicks), decimal(conversions), decimal(cost))
    return (day.isoformat(), str(ad_group.id), device.name, *metrics)


def day_rows(rng: Random, day: date) -> Iterator[Row]:
    """Give each ad group and device that was seen a row, now and then a second one."""
    for ad_group in AD_GROUPS:
        for device in DEVICES:
            if seen := impressions(rng, ad_group, device, day):
                yield stat_row(rng, day, ad_group, device, seen)
            if seen > 1 and rng.random() < REPEATS:
                yield stat_row(rng, day, ad_group, device, seen // 2)
    if day in BAD_ROWS:
        yield BAD_ROWS[day].split(",")


def stat_rows(rng: Random) -> Iterator[Row]:
    """List all days' rows, newest day first, in no particular order within a day."""
    for day in days():
        yield from sorted(day_rows(rng, day), key=lambda _: rng.random())


def write(path: Path, header: str, rows: Iterable[Row]) -> None:
    """Write a header and its rows, in UTF-8 with LF line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def generate(folder: Path) -> None:
    """Write the three sample files into the folder, which is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    write(
        folder / "campaigns.csv",
        "campaign_id,campaign_name,campaign_type",
        ((str(campaign.id), campaign.name, campaign.type) for campaign in CAMPAIGNS),
    )
    write(
        folder / "ad_groups.csv",
        "ad_group_id,ad_group_name,campaign_id",
        ((str(ad_group.id), ad_group.name, str(ad_group.campaign.id)) for ad_group in AD_GROUPS),
    )
    write(
        folder / "ad_group_stats.csv",
        "date,ad_group_id,device,impressions,clicks,conversions,cost",
        stat_rows(Random(SEED)),
    )


def main() -> None:
    """Write the files where the command line says."""
    parser = argparse.ArgumentParser(
        description="Write campaigns.csv, ad_groups.csv and ad_group_stats.csv: the same bytes every time.",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).resolve().parent,
        metavar="DIR",
        help="folder to write into, made when missing; files of these names are replaced"
        " (default: the folder of this script)",
    )
    folder = parser.parse_args().out
    generate(folder)
    sys.stdout.write(f"Wrote campaigns.csv, ad_groups.csv and ad_group_stats.csv to {folder}\n")


if __name__ == "__main__":
    main()
