"""Random files from a seed: the CSV that is sent, and beside it what its rows mean, in integers."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from shared.messages import Device, Kind, Mode, Origin
from tests.support.model import Upload

FIRST_DAY = date(2026, 1, 1)
DAYS = 90
AD_GROUPS = 400
CAMPAIGNS = 25
SMALL, LARGE = (1, 120), (700, 1500)
"""How many rows files have; a large one is cut into several batches."""
HEADERS = {
    Kind.CAMPAIGNS: "campaign_id,campaign_name,campaign_type",
    Kind.AD_GROUPS: "ad_group_id,ad_group_name,campaign_id",
    Kind.AD_GROUP_STATS: "date,ad_group_id,device,impressions,clicks,conversions,cost",
}


@dataclass(frozen=True)
class Window:
    """From when to when a request was under way, and whether its client knows that it was done."""

    begin: float
    end: float
    sure: bool


@dataclass(eq=False)
class File:
    """A file, how it is sent, and what the model knows of it."""

    name: str
    mode: Mode
    key: str | None
    content: bytes
    upload: Upload
    rejected: int = 0
    id: str = ""
    answered: list[str] = field(default_factory=list)
    """When its accepted sendings were received, as the answers say."""
    unknown: list[tuple[float, float]] = field(default_factory=list)
    """From when to when requests were under way that were never answered with 202."""
    taken_back: list[Window] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.upload.rows)


def make_file(chance: random.Random, name: str, *, large: bool = False) -> File:
    """Return a new file: mostly stats, mostly small."""
    kind = chance.choices(list(HEADERS), weights=[1, 1, 6])[0] if not large else Kind.AD_GROUP_STATS
    adds = kind is Kind.AD_GROUP_STATS and chance.random() < 0.4
    mode = Mode.ADD if adds else Mode.UPSERT
    key = f"key-{name}" if chance.random() < 0.25 else None
    if kind is Kind.AD_GROUP_STATS:
        rows, lines, rejected = _stats(chance, chance.randint(*(LARGE if large else SMALL)))
    else:
        rows, lines, rejected = _names(chance, kind, name)
    content = "\n".join([HEADERS[kind], *lines, ""]).encode()
    upload = Upload(kind, mode, Origin.FILE, key is not None, rows)
    return File(name, mode, key, content, upload, rejected)


def stats_file(name: str, values: dict[tuple[int, date, int], list[int]], mode: Mode = Mode.UPSERT) -> File:
    """Return a file of stats: key (ad group, day, device) to impressions, clicks, conversions and cost in micros."""
    content = "\n".join([HEADERS[Kind.AD_GROUP_STATS], *(_line(key, each) for key, each in values.items()), ""])
    rows = tuple((*key, *each) for key, each in values.items())
    return File(
        name, mode, None, content.encode(), Upload(Kind.AD_GROUP_STATS, mode, Origin.FILE, keyed=False, rows=rows)
    )


def ad_groups_file(name: str, rows: list[tuple[int, str, int]]) -> File:
    """Return a file that says to which campaigns ad groups belong."""
    lines = [",".join(map(str, row)) for row in rows]
    upload = Upload(Kind.AD_GROUPS, Mode.UPSERT, Origin.FILE, keyed=False, rows=tuple(rows))
    return File(name, Mode.UPSERT, None, "\n".join([HEADERS[Kind.AD_GROUPS], *lines, ""]).encode(), upload)


def _names(chance: random.Random, kind: Kind, name: str) -> tuple[tuple[Any, ...], list[str], int]:
    count = chance.randint(1, 12)
    if kind is Kind.CAMPAIGNS:
        rows = [
            (i, f"{name} c{i}", chance.choice([None, "SEARCH", "DISPLAY"])) for i in _some(chance, CAMPAIGNS, count)
        ]
    else:
        rows = [(i, f"{name} g{i}", chance.randint(1, CAMPAIGNS)) for i in _some(chance, AD_GROUPS, count * 8)]
    return tuple(rows), [",".join("" if value is None else str(value) for value in row) for row in rows], 0


def _some(chance: random.Random, highest: int, count: int) -> list[int]:
    return chance.sample(range(1, highest + 1), count)


def _stats(chance: random.Random, count: int) -> tuple[tuple[Any, ...], list[str], int]:
    """Return about so many rows, some of which say something about the same key, and a few that cannot be read."""
    sums: dict[tuple[int, date, int], list[int]] = {}
    lines = []
    for _ in range(count):
        key = (
            chance.randint(1, AD_GROUPS),
            FIRST_DAY + timedelta(chance.randrange(DAYS)),
            chance.randrange(len(Device)),
        )
        values = [chance.randrange(100_000), chance.randrange(1000), *(chance.randrange(10**8) for _ in range(2))]
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), values, strict=True)]
        lines.append(_line(key, values))
    rejected = chance.randrange(3) if chance.random() < 0.2 else 0
    lines += [f"2026-01-01,1,MOBILE,1,1,1,broken{n}" for n in range(rejected)]
    return tuple((*key, *values) for key, values in sums.items()), lines, rejected


def _line(key: tuple[int, date, int], values: list[int]) -> str:
    ad_group, day, device = key
    impressions, clicks, *micros = values
    texts = ",".join(f"{micro // 10**6}.{micro % 10**6:06d}" for micro in micros)
    return f"{day},{ad_group},{list(Device)[device].value},{impressions},{clicks},{texts}"
