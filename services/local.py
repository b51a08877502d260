"""All in one process: the inline transport, which hands batches to the consumer's handler directly."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import commands, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from shared.database import check_schema, create_writer, is_connection_lost
from shared.messages import Answer, Batch, Command
from shared.transport import TransportUnavailableError

ABANDONED_AFTER = timedelta(minutes=15)
"""Without a queue nothing of an upload is on its way any more once its request has ended."""


class InlineTransport:
    """A transport without a broker: what is published is in the ledger, and counts, when `publish` returns."""

    applies_at_once = True

    def __init__(self, engine: AsyncEngine, applier: Applier) -> None:
        self._engine = engine
        self._applier = applier

    async def publish(self, batches: Iterable[Batch]) -> None:
        """Stage each batch and apply the attempt; raises `TransportUnavailableError` when the database is away."""
        with _unavailable_when_lost():
            for batch in batches:
                await handler.take(self._engine, batch)
            await self._applier.apply_ready(wait=True)

    async def ask(self, command: Command) -> Answer:
        """Carry the command out; raises `TransportUnavailableError` when the database is away."""
        with _unavailable_when_lost():
            return await commands.obey(self._engine, self._applier, command)

    async def is_ready(self) -> bool:
        """Tell whether the database can be written."""
        async with self._engine.connect() as connection:
            await check_schema(connection)
        return True


@asynccontextmanager
async def inline_transport(database_url: str) -> AsyncIterator[InlineTransport]:
    """Yield an inline transport over a database, with an applier that finishes what an earlier run left."""
    engine = create_writer(database_url)
    applier = Applier(engine)
    try:
        async with applier.running(), Janitor(engine, ABANDONED_AFTER, lambda: True).running():
            yield InlineTransport(engine, applier)
    finally:
        await engine.dispose()


@contextlib.contextmanager
def _unavailable_when_lost() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if is_connection_lost(error):
            raise TransportUnavailableError("The database does not answer.") from error
        raise
