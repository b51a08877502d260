"""The migration, which also makes the role that only reads; invoked before the functions are replaced."""

import asyncio
import os
from typing import Any

import asyncpg
from alembic import command

from functions.settings import database_url, read_secret
from shared.database import alembic_config
from shared.logging import configure_logging

GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role};
"""


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Bring the schema up to date, and the reader's role with it."""
    configure_logging()
    url = database_url()
    command.upgrade(alembic_config(url), "head")
    reader = os.environ.get("READER_SECRET")
    if reader:
        secret = read_secret(reader)
        asyncio.run(allow_reading(url, secret["username"], secret["password"]))
    return {"status": "the schema is up to date"}


async def allow_reading(url: str, role: str, password: str) -> None:
    """Make or update the role that only reads."""
    connection = await asyncpg.connect(url)
    try:
        known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
        # Names and passwords cannot be parameters of these statements; the server quotes them.
        verb = "ALTER" if known else "CREATE"
        statement = await connection.fetchval(
            "SELECT format('%s ROLE %I LOGIN PASSWORD %L', $1::text, $2::text, $3::text)", verb, role, password
        )
        await connection.execute(statement)
        await connection.execute(GRANTS.format(role=await connection.fetchval("SELECT quote_ident($1)", role)))
    finally:
        await connection.close()
