"""How the query service reads: each answer is one statement, so it never mixes two states of the data."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.database import check_schema, is_connection_lost

Parameters = Mapping[str, Any]

ANSWER_SECONDS = 35.0
"""How long a statement is waited for: longer than the database itself lets one run, for when it says nothing."""


class Reader:
    """Reads over an engine of `shared.database.create_reader`."""

    def __init__(self, engine: AsyncEngine, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._engine = engine
        self._answer_seconds = answer_seconds

    async def fetch(self, statement: str, parameters: Parameters | None = None) -> Sequence[RowMapping]:
        """Return the rows of a statement; a connection that proves dead is replaced once.

        Raises `TimeoutError` when the database says nothing for long.
        """
        try:
            return await self._fetch(statement, parameters)
        except DBAPIError as error:
            if not is_connection_lost(error):
                raise
            return await self._fetch(statement, parameters)

    async def _fetch(self, statement: str, parameters: Parameters | None) -> Sequence[RowMapping]:
        async with asyncio.timeout(self._answer_seconds), self._engine.connect() as connection:
            return (await connection.execute(text(statement), parameters)).mappings().all()

    async def stream(self, statement: str, parameters: Parameters | None = None) -> AsyncIterator[RowMapping]:
        """Yield the rows of a statement one by one, all from the same snapshot."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            result = await connection.stream(text(statement), parameters)
            async for row in result.mappings():
                yield row

    async def is_ready(self) -> bool:
        """Tell whether the database answers and has the schema this version reads."""
        async with self._engine.connect() as connection:
            await check_schema(connection)
        return True
