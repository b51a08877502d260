"""How each process is put together from the services, and what ends it."""

import asyncio
import contextlib
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from alembic import command
from litestar.types import ASGIApp
from pydantic import Field, SecretStr
from sqlalchemy.exc import SQLAlchemyError

from services.embedded import EmbeddedPostgres, embedded_postgres
from services.gateway import route_by_method
from services.ingest.api.app import create_app as create_ingest_app
from services.ingest.api.publishing import rabbit_transport
from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.health import create_app as create_consumer_app
from services.ingest.consumer.process import Consumer
from services.ingest.consumer.settings import ConsumerSettings
from services.local import inline_transport
from services.query.app import create_app as create_query_app
from services.query.settings import QuerySettings
from services.serving import address, listen, serve, stop_on_signals
from shared.database import alembic_config, check_schema, close, create_reader, is_connection_lost
from shared.health import Check
from shared.settings import ApplySettings, BrokerSettings, DatabaseSettings
from shared.topology import Topology
from shared.transport import Transport

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
STOP_SECONDS = 30.0


class ConfigurationError(RuntimeError):
    """A setting is missing; the message names it."""


class UpSettings(IngestSettings, QuerySettings, ApplySettings):
    """What `adledger up` reads at its start: the settings of all that it runs."""

    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0: any free one.")


def migrate(url: str) -> None:
    """Bring the database's schema up to date."""
    command.upgrade(alembic_config(url), "head")


def database_url(settings: DatabaseSettings) -> str:
    """Return the database's address; raises `ConfigurationError` when there is none."""
    url = settings.database_url.get_secret_value()
    if not url:
        raise ConfigurationError("Set ADLEDGER_DATABASE_URL to the database's address, postgresql://user@host/name.")
    return url


async def run_query(settings: QuerySettings) -> None:
    """Serve the query service until a signal ends it."""
    await _refuse_old_schema(database_url(settings))
    with stop_on_signals() as stop, _listening(settings.host, settings.port, "query") as listener:
        app = create_query_app(settings)
        async with app.lifespan():
            await serve(app, listener, stop)


async def run_ingest(settings: IngestSettings) -> None:
    """Serve the ingest API until a signal ends it; without a broker it writes to the database itself."""
    database = ApplySettings()
    if not settings.amqp_url.get_secret_value():
        await _refuse_old_schema(database_url(database))
    async with _transport(settings, database) as transport:
        with stop_on_signals() as stop, _listening(settings.host, settings.port, "ingest") as listener:
            app = create_ingest_app(settings, transport)
            async with app.lifespan():
                await serve(app, listener, stop)


async def run_consumer(settings: ConsumerSettings, *, until_stdin_closes: bool = False) -> None:
    """Consume until a signal ends it, or with `until_stdin_closes` the process that started this one."""
    database_url(settings)
    if not settings.amqp_url.get_secret_value():
        raise ConfigurationError("Set ADLEDGER_AMQP_URL to RabbitMQ's address, amqp://user:password@host:5672/vhost.")
    with stop_on_signals() as stop, _listening(settings.host, settings.port, "consumer health") as listener:
        if until_stdin_closes:
            asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
        consumer = Consumer(settings)
        app = create_consumer_app({"database": consumer.has_database, "broker": consumer.has_broker})
        serving = asyncio.create_task(serve(app, listener, stop))
        try:
            await consumer.run(stop)
        finally:
            stop.set()
            await serving


async def run_up(settings: UpSettings, on_ready: Callable[[str], None] | None = None) -> None:
    """Serve everything at one address until a signal ends it; `on_ready` is given the address, in a thread."""
    with stop_on_signals() as stop, _listening(settings.host, settings.port, "adledger") as listener:
        async with _database(settings) as url:
            await asyncio.to_thread(migrate, url)
            placed = settings.model_copy(update={"database_url": SecretStr(url)})
            async with _everything(placed) as app, asyncio.TaskGroup() as tasks:
                if on_ready is not None:
                    tasks.create_task(asyncio.to_thread(on_ready, address(listener)))
                await serve(app, listener, stop)


@asynccontextmanager
async def _everything(settings: UpSettings) -> AsyncIterator[ASGIApp]:
    """Yield both services' applications as one, with a consumer beside them where there is a broker."""
    async with contextlib.AsyncExitStack() as stack:
        checks: dict[str, Check] = {}
        if settings.amqp_url.get_secret_value():
            checks["consumer"] = await stack.enter_async_context(_consumer_process(settings))
        transport = await stack.enter_async_context(_transport(settings, settings))
        ingest = create_ingest_app(settings, transport)
        query = create_query_app(settings, checks={"transport": transport.is_ready, **checks})
        for app in (ingest, query):
            await stack.enter_async_context(app.lifespan())
        yield route_by_method(ingest, query)


@asynccontextmanager
async def _database(settings: UpSettings) -> AsyncIterator[str]:
    """Yield the address of the configured database, or of an embedded one that lasts as long as the context."""
    url = settings.database_url.get_secret_value()
    if url:
        yield url
        return
    with embedded_postgres(settings.data_dir) as server:
        watching = asyncio.create_task(_keep_alive(server))
        try:
            yield server.url
        finally:
            watching.cancel()


async def _keep_alive(server: EmbeddedPostgres) -> None:
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        if await asyncio.to_thread(server.restart_if_dead):
            logger.warning("The embedded PostgreSQL had died and was started again.")


def _transport(broker: BrokerSettings, database: ApplySettings) -> AbstractAsyncContextManager[Transport]:
    amqp_url = broker.amqp_url.get_secret_value()
    if amqp_url:
        return rabbit_transport(amqp_url, Topology(broker.queue_prefix))
    return inline_transport(database_url(database), database.currency or None)


@asynccontextmanager
async def _consumer_process(settings: UpSettings) -> AsyncIterator[Check]:
    """Run a consumer as a process of its own, again whenever it ends; yields the check of its readiness."""
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "ADLEDGER_DATABASE_URL": settings.database_url.get_secret_value(),
        "ADLEDGER_HOST": "127.0.0.1",
        "ADLEDGER_PORT": str(port),
    }
    supervising = asyncio.create_task(_supervise(environment))

    async def is_ready() -> bool:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}/health/ready")).is_success

    try:
        yield is_ready
    finally:
        supervising.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervising


async def _supervise(environment: dict[str, str]) -> None:
    command_line = (sys.executable, "-m", "services.cli", "consume", "--until-stdin-closes")
    while True:
        # Its standard input closes when this process ends, however it ends, and then the consumer ends too.
        process = await asyncio.create_subprocess_exec(*command_line, stdin=asyncio.subprocess.PIPE, env=environment)
        try:
            logger.warning("The consumer ended (%s); starting it again.", await process.wait())
            await asyncio.sleep(WATCH_SECONDS)
        except asyncio.CancelledError:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                process.kill()
            raise


@contextlib.contextmanager
def _listening(host: str, port: int, name: str) -> Iterator[socket.socket]:
    try:
        listener = listen(host, port)
    except OSError as error:
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {error.strerror}. Set ADLEDGER_PORT.") from error
    with listener:
        logger.info("Serving %s on %s", name, address(listener))
        yield listener


async def _refuse_old_schema(url: str) -> None:
    """Raise `SchemaOutdatedError` if need be; a database that is away may come, and readiness looks again."""
    engine = create_reader(url)
    try:
        async with engine.connect() as connection:
            await check_schema(connection)
    except (OSError, SQLAlchemyError) as error:
        if not is_connection_lost(error):
            raise
        logger.warning("The database does not answer yet.")
    finally:
        await close(engine)
