"""Uploads of stats, of which each brings keys of its own, timed until all of them count."""

import time
from collections.abc import Iterator
from datetime import date, timedelta

import httpx

DEVICES = ("MOBILE", "DESKTOP")
GROUPS_A_CAMPAIGN = 20
FIRST_YEAR = 2021
LONGEST_SECONDS = 600.0


def describing(groups: int) -> list[bytes]:
    """Return the files that name the campaigns and ad groups of the stats."""
    campaigns = "".join(f"{number + 1},Campaign {number + 1}\n" for number in range(-(-groups // GROUPS_A_CAMPAIGN)))
    named = "".join(f"{group},Group {group},{group // GROUPS_A_CAMPAIGN + 1}\n" for group in range(groups))
    return [
        f"campaign_id,campaign_name\n{campaigns}".encode(),
        f"ad_group_id,ad_group_name,campaign_id\n{named}".encode(),
    ]


def stats(groups: int, year: int) -> bytes:
    """Return a year of stats of so many ad groups."""
    header = "date,ad_group_id,device,impressions,clicks,conversions,cost\n"
    return (header + "".join(_rows(groups, year))).encode()


def _rows(groups: int, year: int) -> Iterator[str]:
    for day in range(365):
        at = date(year, 1, 1) + timedelta(days=day)
        for group in range(groups):
            for device in DEVICES:
                yield f"{at},{group},{device},{100 + group % 50},{day % 9},{group % 3},{day % 7}.{group % 100:02}\n"


def send(writes: httpx.Client, reads: httpx.Client, files: list[bytes]) -> tuple[int, float]:
    """Send files, wait until all of them count, and return their accepted rows and the seconds that took."""
    begun = time.monotonic()
    uploads = []
    for content in files:
        answer = writes.post("/uploads", content=content)
        assert answer.status_code == 202, answer.text
        uploads += answer.json()["uploads"]
    for upload in uploads:
        _wait(reads, upload["id"], begun + LONGEST_SECONDS)
    return sum(upload["rows_accepted"] for upload in uploads), time.monotonic() - begun


def _wait(reads: httpx.Client, upload_id: str, end: float) -> None:
    while True:
        answer = reads.get(f"/uploads/{upload_id}")
        if answer.is_success and answer.json()["state"] == "applied":
            return
        assert time.monotonic() < end, f"not applied: {answer.text}"
        time.sleep(0.05)
