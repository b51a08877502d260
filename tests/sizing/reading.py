"""Reads as fast as they are answered, over connections that stay open."""

import asyncio
import itertools
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

PATHS = (
    "/campaigns",
    "/performance-time-series?aggregate_by=month&start_date=2021-01-01&end_date=2021-12-31",
    "/performance-time-series?aggregate_by=day&campaign_ids=1&start_date=2021-03-01&end_date=2021-03-31",
    "/compare-performance?start_date=2021-03-01&end_date=2021-03-31&compare_mode=previous_month",
)
CONNECTIONS = 8
"""Open to each query process at once."""


@dataclass(frozen=True)
class Reads:
    """How many reads were answered in how many seconds, and how long one took: the median, the 99th percentile."""

    count: int
    seconds: float
    median_ms: float
    slow_ms: float


async def read(urls: list[str], seconds: float) -> Reads:
    """Read from every address at once for so many seconds; every answer must be a good one."""
    begun = time.monotonic()
    clients = [_client(url, begun + seconds) for url in urls for _ in range(CONNECTIONS)]
    taken = sorted(itertools.chain.from_iterable(await asyncio.gather(*clients)))
    median, slow = (taken[int(len(taken) * part)] * 1000 for part in (0.5, 0.99))
    return Reads(len(taken), time.monotonic() - begun, median, slow)


async def _client(url: str, end: float) -> list[float]:
    host, port = urlsplit(url).hostname, urlsplit(url).port
    reader, writer = await asyncio.open_connection(host, port)
    taken = []
    for path in itertools.cycle(PATHS):
        begun = time.monotonic()
        if begun > end:
            break
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200"), head
        await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
        taken.append(time.monotonic() - begun)
    writer.close()
    return taken
