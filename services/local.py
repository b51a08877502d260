"""All in one process: the inline transport, which hands batches to the consumer's handler directly."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import commands, handler, ledger
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from shared.database import check_schema, close, create_writer, is_transient
from shared.messages import Answer, Batch, Command, Manifest
from shared.transport import TransportUnavailableError

logger = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(minutes=15)
"""Without a queue nothing of an upload is on its way any more once its request has ended."""


class InlineTransport:
    """A transport without a broker: what is published is in the ledger, and counts, when `publish` returns."""

    def __init__(self, engine: AsyncEngine, applier: Applier) -> None:
        self._engine = engine
        self._applier = applier

    async def publish(self, batches: Iterable[Batch]) -> str:
        """Stage each batch and apply the attempt; raises `TransportUnavailableError` when the database is away."""
        manifest: Manifest | None = None
        with _unavailable_when_it_passes():
            for batch in batches:
                manifest = batch.manifest
                await handler.take(self._engine, batch)
            await self._applier.apply_ready(wait=True)
            return await self._state(manifest)

    async def ask(self, command: Command, seconds: float) -> Answer | None:
        """Carry the command out; raises `TransportUnavailableError` when the database is away."""
        obeying = asyncio.create_task(commands.obey(self._engine, self._applier, command))
        with _unavailable_when_it_passes():
            done, _ = await asyncio.wait({obeying}, timeout=seconds)
            if done:
                return obeying.result()
        obeying.add_done_callback(_log_failure)
        return None

    async def _state(self, manifest: Manifest | None) -> str:
        if manifest is None:
            return "staging"
        async with self._engine.connect() as connection:
            return await ledger.state(connection, manifest)

    async def is_ready(self) -> bool:
        """Tell whether the database can be written."""
        async with self._engine.connect() as connection:
            await check_schema(connection)
        return True


@asynccontextmanager
async def inline_transport(database_url: str, currency: str | None = None) -> AsyncIterator[InlineTransport]:
    """Yield an inline transport over a database, with an applier that finishes what an earlier run left."""
    engine = create_writer(database_url)
    applier = Applier(engine, currency)
    try:
        async with applier.running(), Janitor(engine, ABANDONED_AFTER, lambda: True).running():
            yield InlineTransport(engine, applier)
    finally:
        await close(engine)


def _log_failure(task: asyncio.Task[Answer]) -> None:
    """Say what became of a command that nobody waits for any more."""
    if not task.cancelled() and task.exception() is not None:
        logger.error("A command failed after its answer was due: %s", task.exception())


@contextlib.contextmanager
def _unavailable_when_it_passes() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise TransportUnavailableError("The database cannot do it now.") from error
        raise
