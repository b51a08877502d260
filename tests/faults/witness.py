"""A client that reads while faults happen: no state may say more than the numbers show, and no answer mix two of them.

It alone writes about its campaign: one file after another, each with other values for the same few keys, so that it
knows at any time which two answers there can be.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

from tests.faults.files import FIRST_DAY, File, ad_groups_file, stats_file
from tests.faults.load import Load

CAMPAIGN = 10**6
AD_GROUPS = (10**6, 10**6 + 1)
DAYS = [FIRST_DAY + timedelta(n) for n in range(3)]
POLL_SECONDS = 0.3
BY = "ingest-1"
"""Which process takes its files: one whose clock is right, so that the file that was sent last is the latest word."""


class Witness:
    """Writes, reads, and notes in the load's violations what cannot be."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._values: Iterator[int] = count(1)
        self._before = 0
        self._bodies: dict[str, str] = {}
        self.reads = 0

    async def prepare(self) -> None:
        """Say to which campaign its ad groups belong."""
        rows = [(ad_group, "witness", CAMPAIGN) for ad_group in AD_GROUPS]
        await self._load.send(self._load.add(ad_groups_file("witness", rows)))

    async def watch(self, over: asyncio.Event) -> None:
        """Write and read until it is over, and one time more until what was written last is applied."""
        while not over.is_set():
            value = next(self._values)
            file = self._load.add(stats_file(f"witness-{value}", _values(value)))
            await self._load.send(file, BY)
            await self._until_applied(file, value)
            self._before = value

    async def _until_applied(self, file: File, value: int) -> None:
        while not await self._is_applied(file):
            await self._look({self._before, value})
            await asyncio.sleep(POLL_SECONDS)
        await self._look({value})

    async def _is_applied(self, file: File) -> bool:
        answer = await self._load.read(f"/uploads/{file.id}")
        if answer is None:
            return False
        said = answer.json()
        self._note_tag(f"/uploads/{file.id}", answer.headers.get("etag"), answer.content)
        return said["state"] == "applied" and said["received_at"] == file.answered[-1]

    async def _look(self, possible: set[int]) -> None:
        """Read the campaign's days, each of which must have the same one of the values that are possible."""
        answer = await self._load.read("/performance-time-series", aggregate_by="day", campaign_ids=CAMPAIGN)
        if answer is None:
            return
        self.reads += 1
        self._note_tag("series", answer.headers.get("etag"), answer.content)
        found = [(point["total_clicks"], point["total_impressions"]) for point in answer.json()]
        allowed = [[(2 * value, 20 * value)] * len(DAYS) if value else [] for value in possible]
        if found not in allowed:
            self._load.violations.append(f"readers see {found}, and only one of {allowed} can be")

    def _note_tag(self, what: str, tag: str | None, body: bytes) -> None:
        if tag is not None:
            digest = hashlib.sha256(body).hexdigest()
            if self._bodies.setdefault(f"{what} {tag}", digest) != digest:
                self._load.violations.append(f"the ETag {tag} of {what} names two bodies")


def _values(value: int) -> dict[tuple[int, date, int], list[int]]:
    micros = value * 10**6
    return {(ad_group, day, 1): [10 * value, value, micros, micros] for ad_group in AD_GROUPS for day in DAYS}
