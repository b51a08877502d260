"""Connections to PostgreSQL, for the one process that writes and the ones that read."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

MIGRATIONS = Path(__file__).parent / "migrations"

WRITER_TIMEOUTS = {
    "lock_timeout": "20s",
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_user_timeout": "30s",
    "jit": "off",
}
"""So that a writer that was stopped in the middle of a transaction cannot block the others for long."""

READER_TIMEOUTS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "default_transaction_read_only": "on",
}


CLOSE_SECONDS = 3.0

APPLIERS_LOCK = 7042018
"""The advisory lock of whoever changes numbers: appliers and compactions of all consumers take turns by it."""

AHEAD_LOCK = 7042019
"""Shared by those who write ahead of their turn; whoever must see everything applied takes it alone, and first."""

LOCK_NOT_AVAILABLE, DEADLOCK = "55P03", "40P01"
"""SQLSTATEs of a statement that gave up waiting for a lock, and of one that would have waited for ever."""


class SchemaOutdatedError(RuntimeError):
    """The database's schema is not the one this version works with; the message says what to run."""


def create_writer(url: str) -> AsyncEngine:
    """Return an engine whose connections write; `url` is an ordinary `postgresql://` address."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(url, WRITER_TIMEOUTS),
        pool_size=8,
        max_overflow=0,
        pool_pre_ping=True,
    )


async def close(engine: AsyncEngine) -> None:
    """Close an engine's connections; those to a server that says nothing any more are left to the process's end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await engine.dispose()


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """Return asyncpg's own connection, for COPY; raises `TypeError` when the engine is none of this module's."""
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError("The engine was not made by shared.database.")
    return driver


def create_reader(url: str) -> AsyncEngine:
    """Return an engine whose connections cannot write, and whose statements are transactions of their own."""
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connector(url, READER_TIMEOUTS),
        pool_size=10,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
    )


def connector(url: str, settings: dict[str, str]) -> Callable[[], Awaitable[asyncpg.Connection]]:
    """Return what opens a connection with these server settings, for SQLAlchemy's `async_creator`."""

    async def connect() -> asyncpg.Connection:
        # asyncpg reads the address itself, so that sslmode, socket folders and the like mean what libpq says.
        try:
            connection = await asyncpg.connect(dsn=url, timeout=10, server_settings={"application_name": "adledger"})
            if settings:
                # Said once connected, as RDS Proxy and PgBouncer refuse most settings before.
                await connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
        except asyncpg.InvalidAuthorizationSpecificationError:
            raise
        except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:
            # Too many connections, shutting down, closed for maintenance: away, whatever the error's class.
            raise ConnectionError(str(error)) from error
        return connection

    return connect


def alembic_config(url: str | None = None) -> Config:
    """Return Alembic's configuration without an ini file, for `url` or else `ADLEDGER_DATABASE_URL`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


async def check_schema(connection: AsyncConnection) -> None:
    """Raise `SchemaOutdatedError` when the database's schema is older than this version's.

    A newer one is fine: while a deployment runs, and after one is rolled back, old code works on the new schema.
    """
    known = await connection.scalar(text("SELECT to_regclass('alembic_version')"))
    found = await connection.scalar(text("SELECT version_num FROM alembic_version")) if known else None
    wanted, *older = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    if found is None or found in older:
        raise SchemaOutdatedError(
            f"The database's schema is {found or 'empty'}, this version needs {wanted}. Run: adledger migrate",
        )


_AWAY = (
    OSError,
    PoolTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    # The driver is confused: a server that ends a session does not wait for its turn to speak.
    asyncpg.InternalClientError,
)


def is_connection_lost(error: BaseException) -> bool:
    """Tell whether the database was away, rather than the statement or the data wrong."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _is_unavailable(error.orig)
    return _is_unavailable(error)


def _is_unavailable(error: BaseException | None) -> bool:
    if isinstance(error, asyncpg.InterfaceError):
        # A connection that was closed under us; the ones about values are asyncpg's `DataError`.
        return not isinstance(error, ValueError)
    return isinstance(error, _AWAY)


_ABOUT_DATA = ("22", "23")
"""SQLSTATE classes of data exceptions and violated constraints (PostgreSQL, appendix A)."""


def is_about_data(error: BaseException) -> bool:
    """Tell whether the data cannot be stored as they are, which no waiting mends."""
    return sqlstate(error).startswith(_ABOUT_DATA)


def is_transient(error: BaseException) -> bool:
    """Tell whether the same work may well succeed later.

    That is so for every failure of the database that is not about the data: it may be away, full, read-only after
    a failover, locked, or refuse our password until somebody mends that.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if is_connection_lost(error) or isinstance(cause, asyncpg.InterfaceError):
        return True
    return bool(sqlstate(error)) and not is_about_data(error)


def sqlstate(error: BaseException) -> str:
    """Return PostgreSQL's code for an error; empty when it has none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(cause, "sqlstate", None) or "")
