"""An application for as long as the function's environment lives, on the loop that Mangum serves it with."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from litestar import Litestar
from mangum import Mangum

from shared.logging import configure_logging


def serve(create: Callable[[AsyncExitStack], Awaitable[Litestar]]) -> Mangum:
    """Start the application that `create` makes, once, and return what hands events to it.

    Mangum's own lifespan would start it anew for each event, with new connections to the database.
    """
    configure_logging()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def start() -> Litestar:
        stack = AsyncExitStack()
        app = await create(stack)
        await stack.enter_async_context(app.lifespan())
        return app

    return Mangum(loop.run_until_complete(start()), lifespan="off")
