"""How numbers are read: one statement an answer, which also tells the version of the data it saw.

Beneath SQLAlchemy, on asyncpg itself: half of the time of a small read would be SQLAlchemy's.
"""

import asyncio
import sys
from array import array
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import asyncpg

from services.query.columns import Make, Read
from services.query.dataset import Version
from shared.database import READER_TIMEOUTS, connector, is_connection_lost

CONNECTIONS = 5
"""How many answers are asked for at once. asyncpg's own pool would take 0.05 to 0.1 ms of each for its checks."""

ANSWER_SECONDS = 35.0
"""How long a statement is waited for: longer than the database itself lets one run, for when it says nothing."""

PLANNER = {"jit": "off"}
"""Compiling a statement takes longer than any of these runs."""

VERSION = "SELECT epoch, version FROM dataset"

SEEN = "dataset_read"
"""Where a request's state holds the `Read` that its answer is made of, and what made it."""

DATABASE_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What can go wrong while reading."""

T = TypeVar("T")


class Listed(NamedTuple):
    """A list in an answer: the query of its rows, the columns that are whole numbers, none NULL, and all others."""

    query: str
    whole: Sequence[str]
    others: Sequence[str] = ()


def versioned(*lists: Listed) -> str:
    """Return the statement for lists, beside the version they belong to; each gives its whole numbers first."""
    answers = [
        f"CROSS JOIN (SELECT {', '.join(_aggregates(each))} FROM ({each.query}) AS row) AS list_{n}"
        for n, each in enumerate(lists)
    ]
    selected = ", ".join(f"list_{n}.*" for n in range(len(lists)))
    return f"SELECT epoch, version, {selected} FROM dataset {' '.join(answers)}"


def _aggregates(each: Listed) -> list[str]:
    whole = (f"{{first}}{name}{{last}}" for name in each.whole)
    return [*whole, *(f"array_agg({name})" for name in each.others)]


# One value for a column, eight bytes for a number: 12,000 rows take 11 ms instead of 16 as arrays, which hold more.
_PACKED = {"first": "string_agg(int8send((", "last": ")::bigint), '')"}
_WIDE = {"first": "array_agg((", "last": ")::numeric)"}


class Database:
    """Connections that read: some for answers, and one that only ever asks for the version."""

    def __init__(self, url: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._connect = connector(url, READER_TIMEOUTS | PLANNER)
        self._answer_seconds = answer_seconds
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[asyncpg.Connection] = []
        self._line: asyncpg.Connection | None = None

    async def version(self) -> Version:
        """Return the version of the data as it is now."""
        return await self._twice(self._ask_version)

    async def read(self, statement: str, *values: object) -> Read:
        """Return what a statement made by `versioned` gives.

        Whole numbers are read as 64-bit integers, which is fast, and as numerics where one does not fit. Raises
        `TimeoutError` when the database says nothing for long.
        """
        try:
            row = await self._row(statement.format(**_PACKED), values)
        except asyncpg.NumericValueOutOfRangeError:
            row = await self._row(statement.format(**_WIDE), values)
        epoch, number, *columns = row
        return Read(statement, values, Version(epoch, number), [_column(column) for column in columns])

    def close(self) -> None:
        """Close the connections."""
        for connection in (*self._idle, *([self._line] if self._line else [])):
            connection.terminate()

    async def _row(self, statement: str, values: Iterable[object]) -> asyncpg.Record:
        async def read() -> asyncpg.Record:
            async with self._turns:
                return await self._ask(statement, values)

        return await self._twice(read)

    async def _ask(self, statement: str, values: Iterable[object]) -> asyncpg.Record:
        connection = await self._take()
        try:
            (row,) = await connection.fetch(statement, *values)
        except asyncpg.PostgresError:
            # The database has answered, so that it can be asked again.
            self._idle.append(connection)
            raise
        except BaseException:
            connection.terminate()
            raise
        self._idle.append(connection)
        return row

    async def _take(self) -> asyncpg.Connection:
        """Return a connection that nobody uses now, the last used one first."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return await self._connect()

    async def _ask_version(self) -> Version:
        if self._line is None or self._line.is_closed():
            self._line = await self._connect()
        ((epoch, number),) = await self._line.fetch(VERSION)
        return Version(epoch, number)

    async def _twice(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return what `read` returns, at its second try when the connection proves dead at the first."""
        async with asyncio.timeout(self._answer_seconds):
            try:
                return await read()
            except Exception as error:
                if not is_connection_lost(error):
                    raise
                return await read()


def _column(value: bytes | list[Any] | None) -> Sequence[Any]:
    """Return the values of a column."""
    if isinstance(value, bytes):
        numbers = array("q", value)
        if sys.byteorder == "little":
            numbers.byteswap()
        return numbers
    column = value or []
    return [int(each) for each in column] if column and isinstance(column[0], Decimal) else column


class Facts:
    """The database as one request sees it; `state` is the request's, where what its answer is made of is noted."""

    def __init__(self, database: Database, state: dict[str, Any]) -> None:
        self._database = database
        self._state = state

    async def answer(self, make: Make[T], statement: str, *values: object) -> T:
        """Return the answer that is made of the columns of a statement by `versioned`."""
        read = await self._database.read(statement, *values)
        self._state[SEEN] = (read, make)
        return make.of(read.columns)
