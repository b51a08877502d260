"""Transactions that do not wait for ever: a network may lose a question or its answer without either end being told."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.database import driver_of

logger = logging.getLogger(__name__)

BEGIN_SECONDS = 15.0
LOOK_SECONDS = 5.0
IDLE_SECONDS = 10.0
"""For how long a session that we wait for may do nothing."""

# Long statements are none of our business here: one that still runs is alive. One that was lost leaves its session
# idle, or gone once the server ended it. A server that is told not to track activities says `disabled`, and no more.
_LIVES = """
    SELECT state NOT LIKE 'idle%' OR state_change > clock_timestamp() - cast(:idle AS interval)
    FROM pg_stat_activity WHERE pid = :pid
"""


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction, as `engine.begin()` does, and watch over it.

    When the server no longer works on what we wait for, the connection is cut, which ends the wait with an error.
    """
    async with contextlib.AsyncExitStack() as watched, contextlib.AsyncExitStack() as begun:
        async with asyncio.timeout(BEGIN_SECONDS):
            connection = await begun.enter_async_context(engine.begin())
            pid = await connection.scalar(text("SELECT pg_backend_pid()"))
        driver = await driver_of(connection)
        watching = asyncio.create_task(_watch(engine, int(pid or 0), driver))
        # Until after the commit, which may be lost like any other statement.
        watched.callback(watching.cancel)
        yield connection


async def _watch(engine: AsyncEngine, pid: int, driver: asyncpg.Connection) -> None:
    while not driver.is_closed():
        await asyncio.sleep(LOOK_SECONDS)
        if not await _lives(engine, pid):
            logger.warning("The database has lost a transaction; cutting its connection.")
            driver.terminate()


async def _lives(engine: AsyncEngine, pid: int) -> bool:
    """Tell whether the server works on the session, or did so a moment ago; true when it cannot be asked."""
    try:
        async with asyncio.timeout(LOOK_SECONDS), engine.connect() as connection:
            return bool(await connection.scalar(text(_LIVES), {"pid": pid, "idle": timedelta(seconds=IDLE_SECONDS)}))
    except (SQLAlchemyError, OSError, TimeoutError):
        return True
