"""The consumer process: waits for the database and the broker, then consumes and applies until told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiormq.exceptions import AMQPError
from faststream.rabbit import RabbitBroker
from sqlalchemy.exc import SQLAlchemyError

from services.ingest.consumer.app import consuming
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.settings import ConsumerSettings
from shared.database import check_schema, create_writer, is_connection_lost

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
PING_SECONDS = 2.0


class Consumer:
    """One consumer: its work as a coroutine, and the checks that tell whether it is at it."""

    def __init__(self, settings: ConsumerSettings) -> None:
        self._settings = settings
        self._engine = create_writer(settings.database_url.get_secret_value())
        self._broker: RabbitBroker | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; raises `shared.database.SchemaOutdatedError`."""
        try:
            await self._wait_for_database()
            applier = Applier(self._engine)
            async with applier.running(), self._connected(applier) as self._broker:
                logger.info("Consuming.")
                await stop.wait()
        finally:
            self._broker = None
            await self._engine.dispose()

    async def has_database(self) -> bool:
        """Tell whether the database can be written."""
        async with self._engine.connect() as connection:
            await check_schema(connection)
        return True

    async def has_broker(self) -> bool:
        """Tell whether batches reach us."""
        return self._broker is not None and await self._broker.ping(timeout=PING_SECONDS)

    async def _wait_for_database(self) -> None:
        while True:
            try:
                await self.has_database()
            except (OSError, SQLAlchemyError) as error:
                if not is_connection_lost(error):
                    raise
                logger.warning("The database does not answer; waiting for it.")
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                return

    @asynccontextmanager
    async def _connected(self, applier: Applier) -> AsyncIterator[RabbitBroker]:
        """Yield the broker once RabbitMQ answers."""
        async with contextlib.AsyncExitStack() as stack:
            yield await self._connect(stack, applier)

    async def _connect(self, stack: contextlib.AsyncExitStack, applier: Applier) -> RabbitBroker:
        while True:
            try:
                return await stack.enter_async_context(consuming(self._settings, self._engine, applier))
            except (AMQPError, OSError):
                logger.warning("RabbitMQ does not answer; waiting for it.")
                await asyncio.sleep(PAUSE_SECONDS)
