"""Databases of a test's own, on a server where databases may be made."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

EMPTY = "template0 ENCODING 'UTF8'"
"""The template of an empty database, whatever a server makes its own with."""


@contextmanager
def database(postgres: str, template: str) -> Iterator[str]:
    """Yield the address of a new database, cloned from another one on the same server, and drop it at the end."""
    name = f"adledger_test_{uuid4().hex[:12]}"
    asyncio.run(execute(postgres, f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield named(postgres, name)
    finally:
        asyncio.run(execute(postgres, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


async def execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def named(url: str, database: str) -> str:
    """Return the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
