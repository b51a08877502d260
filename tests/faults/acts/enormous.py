"""An upload of 2 GB, which neither ingest nor consumer may hold in memory, nor be kept from ending by it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx

from tests.faults.files import FIRST_DAY, File, stats_file
from tests.faults.scenario import expect
from tests.faults.stage import SPARES, Stage

BYTES = 2 * 10**9
AD_GROUPS, DAYS = 2000, 150
BATCH_BYTES = 512 * 1024
FIRST_AD_GROUP = 10**7
SECONDS = 400.0
INGEST = SPARES[1]


class Enormous:
    """A file in which the same rows come again and again: it is made while it is sent."""

    def __init__(self, name: str) -> None:
        keys = [(FIRST_AD_GROUP + n, FIRST_DAY + timedelta(day), 1) for n in range(AD_GROUPS) for day in range(DAYS)]
        once = stats_file(name, {key: [3, 2, 10**6, 2 * 10**6] for key in keys})
        self._header, _, self._rows = once.content.partition(b"\n")
        self.repeats = BYTES // len(self._rows)
        self.file: File = stats_file(
            name, {key: [each * self.repeats for each in (3, 2, 10**6, 2 * 10**6)] for key in keys}
        )

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the file's bytes."""
        yield self._header + b"\n"
        for _ in range(self.repeats):
            for begin in range(0, len(self._rows), 1 << 20):
                yield self._rows[begin : begin + (1 << 20)]

    async def send(self, url: str) -> httpx.Response:
        """Send the file and return the answer."""
        async with httpx.AsyncClient(timeout=SECONDS) as http:
            return await http.post(f"{url}/uploads", params={"filename": self.file.name}, content=self.body())


async def sent(stage: Stage) -> None:
    """Send 2 GB; end the ingest amid it, which must not take longer than it may; and send it again to another."""
    enormous = await asyncio.to_thread(Enormous, f"enormous-{stage.chance.getrandbits(32):08x}")
    stage.fleet.start(INGEST, batch=BATCH_BYTES)
    await stage.fleet.ready(INGEST)
    begun = time.time()
    sending = asyncio.create_task(enormous.send(stage.fleet[INGEST].url))
    await asyncio.sleep(stage.chance.uniform(4, 12))
    await stage.fleet.stop(INGEST)
    await asyncio.gather(sending, return_exceptions=True)
    enormous.file.unknown.append((begun, time.time()))
    stage.fleet.start(INGEST, batch=BATCH_BYTES)
    await stage.fleet.ready(INGEST)
    answer = await enormous.send(stage.fleet[INGEST].url)
    expect(stage, answer.status_code == 202, f"a 202 ({answer.text})")
    upload = answer.json()["uploads"][0]
    stage.load.accepted(stage.load.add(enormous.file), upload)
    await stage.settled(SECONDS)
    stage.history.note("memory", **stage.fleet.measure())
    await stage.fleet.stop(INGEST)
