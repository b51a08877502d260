"""Alembic's way into the database: asyncpg, at the address in ADLEDGER_DATABASE_URL."""

import asyncio

from alembic import context
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from shared.database import AHEAD_LOCK, APPLIERS_LOCK, connector
from shared.settings import DatabaseSettings
from shared.tables import metadata

WRONG_ENCODING = """The database's encoding is {}, and names in files are UTF-8. Make one with that encoding:
    CREATE DATABASE adledger TEMPLATE template0 ENCODING 'UTF8'"""


def _migrate(connection: Connection) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise SystemExit(WRONG_ENCODING.format(encoding))
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        # Two pods that migrate at once take turns; the second finds nothing left to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7042017)")
        if set(context.get_context().get_current_heads()) != set(context.script.get_heads()):
            # An applier or a compaction is waited for here: in the queue for a table all readers would stand behind us.
            for lock in (AHEAD_LOCK, APPLIERS_LOCK):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")
        context.run_migrations()


async def _run() -> None:
    url = context.config.attributes.get("url") or DatabaseSettings().database_url.get_secret_value()
    if not url:
        raise SystemExit("Set ADLEDGER_DATABASE_URL to the database's address, postgresql://user:password@host/name")
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connector(url, {}))
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
        await connection.commit()
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("adledger's migrations need a database; to see their SQL, read shared/migrations/versions.")
asyncio.run(_run())
