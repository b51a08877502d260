"""The consumer process: waits for the database and the broker, then consumes and applies until told to stop."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from services.ingest.consumer.app import consuming
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from services.ingest.consumer.settings import ConsumerSettings
from services.ingest.consumer.watchdog import Watchdog
from shared.confirmed import FAILURES
from shared.database import check_schema, close, create_writer, is_connection_lost

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0


class Consumer:
    """One consumer: its work as a coroutine, and the checks that tell whether it is at it."""

    def __init__(self, settings: ConsumerSettings) -> None:
        self._settings = settings
        self._engine = create_writer(settings.database_url.get_secret_value())
        self._watchdog: Watchdog | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set.

        Raises `shared.database.SchemaOutdatedError`, and `SubscriptionLostError` when only a restart can help.
        """
        try:
            await _first(stop.wait(), self._work())
        finally:
            await close(self._engine)

    async def _work(self) -> None:
        """Wait for what is needed, and consume until cancelled."""
        await self._wait_for_database()
        applier = Applier(self._engine, self._settings.currency or None)
        async with applier.running(), contextlib.AsyncExitStack() as stack:
            self._watchdog = await self._connect(stack, applier)
            logger.info("Consuming.")
            try:
                async with self._janitor(self._watchdog).running():
                    await self._watchdog.watch()
            finally:
                self._watchdog = None

    def _janitor(self, watchdog: Watchdog) -> Janitor:
        patience = timedelta(minutes=self._settings.abandon_minutes)
        return Janitor(self._engine, patience, watchdog.is_idle)

    async def has_database(self) -> bool:
        """Tell whether the database can be written."""
        async with self._engine.connect() as connection:
            await check_schema(connection)
        return True

    async def has_broker(self) -> bool:
        """Tell whether batches reach us."""
        return self._watchdog is not None and await self._watchdog.is_connected()

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

    async def _connect(self, stack: contextlib.AsyncExitStack, applier: Applier) -> Watchdog:
        """Return the watchdog of a subscription, once RabbitMQ answers."""
        while True:
            try:
                return await stack.enter_async_context(consuming(self._settings, self._engine, applier))
            except FAILURES:
                logger.warning("RabbitMQ does not answer; waiting for it.")
                await asyncio.sleep(PAUSE_SECONDS)


async def _first(*works: Coroutine[Any, Any, object]) -> None:
    """Wait for the first of several to end, and then for the others, which are cancelled; raises what it raised."""
    tasks = [asyncio.create_task(work) for work in works]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
