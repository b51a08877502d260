"""Waiting for what happens in its own time."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(check: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    """Wait until an asynchronous check holds; raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)
