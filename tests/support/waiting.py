"""Waiting for what happens in its own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    """Wait until an asynchronous check holds; raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


def until(check: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until a check holds; raises `AssertionError`."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
