"""Files to load, made by DuckDB: the same options give the same bytes."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

DAYS = 730
DEVICES = ("MOBILE", "DESKTOP", "TABLET")
FIRST_DAY = date(2023, 1, 1)
LAST_DAY = FIRST_DAY + timedelta(DAYS - 1)
CAMPAIGN = 30_517_000_000
AD_GROUP = 402_718_000_000


@dataclass(frozen=True)
class Shape:
    """What the data are like: rows in the file, the share of them that repeats a key, campaigns, their sizes."""

    rows: int = 2_409_000
    duplicates: float = 0.0909
    campaigns: int = 100
    skewed: bool = False

    @property
    def keys(self) -> int:
        """How many different keys the rows have."""
        return round(self.rows * (1 - self.duplicates))

    @property
    def ad_groups(self) -> int:
        """How many ad groups there are, each with all devices on all days as far as the keys go."""
        return -(-self.keys // (DAYS * len(DEVICES)))

    def campaign_of(self, ad_group: str) -> str:
        """Return the SQL that names an ad group's campaign; skewed, a few campaigns have most of them."""
        share = f"power(({ad_group}) / {self.ad_groups}.0, {3 if self.skewed else 1})"
        return f"{CAMPAIGN} + cast(floor({share} * {self.campaigns}) AS bigint)"


def add_shape(parser: ArgumentParser) -> None:
    """Let a shape be asked for."""
    parser.add_argument("--rows", type=int, default=Shape.rows, help="rows of the large files")
    parser.add_argument("--duplicates", type=float, default=Shape.duplicates, help="share of rows that repeat a key")
    parser.add_argument("--campaigns", type=int, default=Shape.campaigns)
    parser.add_argument("--skewed", action="store_true", help="a few campaigns have most ad groups")


def as_shape(asked: Namespace) -> Shape:
    """Return the shape that was asked for."""
    return Shape(asked.rows, asked.duplicates, asked.campaigns, asked.skewed)


def write_dimensions(shape: Shape, folder: Path) -> list[Path]:
    """Write the files of campaigns and ad groups."""
    campaigns, ad_groups = folder / "campaigns.csv", folder / "ad_groups.csv"
    _write(
        campaigns,
        f"SELECT {CAMPAIGN} + i AS campaign_id, 'Campaign number ' || i AS campaign_name, "
        f"'SEARCH_STANDARD' AS campaign_type FROM range({shape.campaigns}) t(i)",
    )
    _write(
        ad_groups,
        f"SELECT {AD_GROUP} + i AS ad_group_id, 'Ad group ' || (i * 7919 % {shape.ad_groups}) AS ad_group_name, "
        f"{shape.campaign_of('i')} AS campaign_id FROM range({shape.ad_groups}) t(i)",
    )
    return [campaigns, ad_groups]


def write_stats(shape: Shape, path: Path, *, seed: int = 0, offset: int = 0) -> Path:
    """Write a file of stats in no order; another seed gives other metrics, an offset other keys."""
    width = len(DEVICES)
    _write(
        path,
        f"""
        SELECT date '{FIRST_DAY}' + cast(k // {width} % {DAYS} AS integer) AS date,
               {AD_GROUP} + k // {width * DAYS} AS ad_group_id,
               (['{"', '".join(DEVICES)}'])[1 + k % {width}] AS device,
               h % 5000 AS impressions, h // 7 % 300 AS clicks,
               cast(h // 11 % 2500000 / 100000.0 AS DECIMAL(12, 5)) AS conversions,
               cast(h // 13 % 90000000 / 1000000.0 AS DECIMAL(12, 6)) AS cost
        FROM (
            SELECT {offset} + i % {shape.keys} AS k, hash(i + {seed * 10**9}) >> 8 AS h
            FROM range({shape.rows}) t(i) ORDER BY hash(i)
        )
        """,
    )
    return path


def _write(path: Path, query: str) -> None:
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER)")
