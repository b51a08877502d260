"""Fixtures: a migrated database for each test, cloned from a template, and queues of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.processes import migrate
from shared.database import create_writer
from shared.topology import Topology
from tests.support.databases import EMPTY, database
from tests.support.servers import postgres_server, rabbitmq_server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server where databases may be made."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres: str) -> Iterator[str]:
    """The name of a migrated database that others are cloned from."""
    with database(postgres, EMPTY) as url:
        migrate(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def empty_database_url(postgres: str) -> Iterator[str]:
    """The address of a database without a schema."""
    with database(postgres, EMPTY) as url:
        yield url


@pytest.fixture
def database_url(postgres: str, template: str) -> Iterator[str]:
    """The address of a migrated database of the test's own."""
    with database(postgres, template) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_writer(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[str]:
    """The address of a RabbitMQ broker."""
    with rabbitmq_server() as url:
        yield url


@pytest.fixture
def topology(rabbitmq: str) -> Iterator[Topology]:
    """Names of queues of the test's own, which are deleted afterwards."""
    topology = Topology(f"adledger-test-{uuid4().hex[:12]}")
    yield topology
    asyncio.run(delete_queues(rabbitmq, topology))


async def delete_queues(rabbitmq: str, topology: Topology) -> None:
    """Delete the queues of a test."""
    connection = await aio_pika.connect(rabbitmq)
    async with connection, connection.channel() as channel:
        for name in topology.queues():
            await channel.queue_delete(name)
