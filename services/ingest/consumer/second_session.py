"""What a second session reads of a large upload's entries, while the one that applies it writes its rows.

The entries of an attempt that is being applied change no more. Which campaign an ad group belongs to is changed only
by whoever holds the appliers' lock; so both sessions see the same for as long as the first one has changed nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.consumer import fast_sql, fold, planning, sums_sql
from services.ingest.consumer.levels import LEVELS, Level
from services.ingest.consumer.lifeline import transaction
from shared.database import driver_of, is_transient

PATIENCE_SECONDS = 1.0
"""How long to try to get a second session; without one, the first does everything."""

AWAKE_SECONDS = 5.0
"""How often a session does something while it waits for the other."""

MOST_NEW = 100_000
"""How many new ad groups one session tells the other."""

PIECES = 64
"""How many pieces of sums may be on their way, each of 8 to 512 KB."""

T = TypeVar("T")

_VERSION = "SELECT version FROM dataset"
_BOUNDS = ("SET LOCAL lock_timeout = '500ms'", "SET LOCAL max_parallel_workers_per_gather = 0")


@dataclass(frozen=True)
class Question:
    """An attempt, how many entries it has, and of which dates all keys are to be counted, if of any."""

    attempt_id: int
    rows: int
    dates: tuple[date, date] | None


@dataclass(frozen=True)
class Seen:
    """The ad groups that have no row, None if they are too many, and how many keys the dates had before."""

    new_ad_groups: Sequence[int] | None
    keys: int | None


class _NotNowError(RuntimeError):
    """There is no second session that could see what the first one sees without waiting."""


class SecondSession:
    """What comes from the second session: what it has seen, then, level by level as they are wanted, its sums.

    An empty piece ends a level; None says that the session has ended.
    """

    def __init__(self, engine: AsyncEngine, question: Question, version: int) -> None:
        self._seen: asyncio.Queue[Seen | None] = asyncio.Queue()
        self._wanted = asyncio.Semaphore(0)
        self._sums: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES)
        self._work = asyncio.create_task(self._run(engine, question, version))

    async def seen(self, connection: AsyncConnection) -> Seen | None:
        """Return what it has seen; None without a second session. Raises what it fails of."""
        seen = await _awake(connection, self._seen.get)
        if seen is None:
            await self._work
        return seen

    async def fill(self, connection: AsyncConnection, table: str, level: Level) -> None:
        """Copy the sums of the next level, which is this one, to a table; raises what the second session fails of."""
        self._wanted.release()
        driver = await driver_of(connection)
        await driver.copy_to_table(table, source=self._pieces(), columns=level.columns, format="binary")

    async def end(self) -> None:
        """Stop the second session, whose work nobody wants any more if it still goes on."""
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._work

    async def _pieces(self) -> AsyncIterator[bytes]:
        while piece := await self._sums.get():
            yield piece
        if piece is None:
            await self._work

    async def _run(self, engine: AsyncEngine, question: Question, version: int) -> None:
        try:
            with contextlib.suppress(_NotNowError):
                async with _reading(engine, question, version) as connection:
                    await self._look(connection, question)
        except Exception:
            await self._finish()
            raise
        await self._finish()

    async def _look(self, connection: AsyncConnection, question: Question) -> None:
        await planning.summarize_for(connection, question.rows)
        await fold.prepare(connection)
        async with planning.planned_alone(connection, question.rows):
            await self._seen.put(Seen(await _new_ad_groups(connection, question), await _keys(connection, question)))
            for level in LEVELS:
                await connection.execute(text(sums_sql.keep(level)), {"attempt_id": question.attempt_id})
        for level in LEVELS:
            # Not before: who sends what is not taken for half a minute is taken for dead.
            await _awake(connection, self._wanted.acquire)
            driver = await driver_of(connection)
            await driver.copy_from_table(level.sums, columns=level.columns, output=self._sums.put, format="binary")
            await self._sums.put(b"")

    async def _finish(self) -> None:
        await self._seen.put(None)
        await self._sums.put(None)


@asynccontextmanager
async def second_session(connection: AsyncConnection, question: Question) -> AsyncIterator[SecondSession]:
    """Let a second session begin to read, and end with the context; the connection has changed nothing so far."""
    version = int(await connection.scalar(text(_VERSION)) or 0)
    working = SecondSession(connection.engine, question, version)
    try:
        yield working
    finally:
        await working.end()


@asynccontextmanager
async def _reading(engine: AsyncEngine, question: Question, version: int) -> AsyncIterator[AsyncConnection]:
    """Yield a connection in a transaction that waits for nobody; raises `_NotNowError` where there is none at once."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                connection = await stack.enter_async_context(transaction(engine))
                for statement in (*_BOUNDS, _held(question)):
                    await connection.execute(text(statement))
                seen = await connection.scalar(text(_VERSION))
        except Exception as error:
            if not is_transient(error):
                raise
            raise _NotNowError from error
        if seen != version:
            raise _NotNowError
        yield connection


async def _awake(connection: AsyncConnection, wait: Callable[[], Awaitable[T]]) -> T:
    """Wait for something, and keep the connection awake meanwhile: the server ends transactions that are idle."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AWAKE_SECONDS):
                return await wait()
        await connection.execute(text("SELECT"))


def _held(question: Question) -> str:
    """Return the statement that takes the locks of all reads beforehand, since who holds others will wait for us."""
    counted = ", ad_group_stat" if question.dates else ""
    return f"LOCK TABLE dataset, stat_entry, ad_group{counted} IN ACCESS SHARE MODE"


async def _new_ad_groups(connection: AsyncConnection, question: Question) -> Sequence[int] | None:
    query = text(f"{fast_sql.NEW_AD_GROUPS} LIMIT {MOST_NEW + 1}")
    found = (await connection.execute(query, {"attempt_id": question.attempt_id})).scalars().all()
    return found if len(found) <= MOST_NEW else None


async def _keys(connection: AsyncConnection, question: Question) -> int | None:
    if not question.dates:
        return None
    first, last = question.dates
    return int(await connection.scalar(text(sums_sql.KEYS), {"first_date": first, "last_date": last}) or 0)
