"""An application for as long as the function's environment lives, on the loop that serves it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from litestar import Litestar
from mangum import Mangum

from shared.logging import configure_logging

_forever = AsyncExitStack()
"""What the application needs, held here so that nothing ends it before the environment does."""


def start(create: Callable[[AsyncExitStack], Awaitable[Litestar]]) -> tuple[asyncio.AbstractEventLoop, Litestar]:
    """Start the application that `create` makes, and return it with its loop."""
    configure_logging()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def begin() -> Litestar:
        app = await create(_forever)
        await _forever.enter_async_context(app.lifespan())
        return app

    return loop, loop.run_until_complete(begin())


def serve(create: Callable[[AsyncExitStack], Awaitable[Litestar]]) -> Mangum:
    """Start the application that `create` makes, once, and return what hands events to it.

    Mangum's own lifespan would start it anew for each event, with new connections to the database.
    """
    _, app = start(create)
    return Mangum(app, lifespan="off")
