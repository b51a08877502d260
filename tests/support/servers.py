"""Where the tests' PostgreSQL and RabbitMQ come from.

In order: the settings; a server on the standard local port; Docker; for PostgreSQL the embedded one. Without
RabbitMQ the tests that need it are skipped, which is a failure in CI.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aio_pika
import asyncpg
import pytest

from services.embedded import embedded_postgres

LOCAL_POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"
LOCAL_RABBITMQ = "amqp://guest:guest@127.0.0.1:5672/"
POSTGRES_IMAGE = "postgres:17"
RABBITMQ_IMAGE = "rabbitmq:4-management"
START_SECONDS = 90


@contextmanager
def postgres_server() -> Iterator[str]:
    """Yield the address of a database on a server where databases may be made."""
    for url in filter(None, [os.environ.get("ADLEDGER_DATABASE_URL"), LOCAL_POSTGRES]):
        if asyncio.run(postgres_answers(url)):
            yield url
            return
    if docker_answers():
        from testcontainers.community.postgres import PostgresContainer

        with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
            yield container.get_connection_url()
        return
    folder = Path(tempfile.mkdtemp(prefix="adledger-tests-"))
    folder.chmod(0o711)
    try:
        with embedded_postgres(folder) as server:
            yield server.url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def rabbitmq_server() -> Iterator[str]:
    """Yield the address of a broker; skips the test where there is none, and fails it in CI."""
    for url in filter(None, [os.environ.get("ADLEDGER_AMQP_URL"), LOCAL_RABBITMQ]):
        if asyncio.run(rabbitmq_answers(url)):
            yield url
            return
    if docker_answers():
        # Not testcontainers' own RabbitMqContainer, which needs another client library just to wait.
        from testcontainers.core.container import DockerContainer

        with DockerContainer(RABBITMQ_IMAGE).with_exposed_ports(5672) as container:
            url = f"amqp://guest:guest@{container.get_container_host_ip()}:{container.get_exposed_port(5672)}/"
            wait_for_rabbitmq(url)
            yield url
        return
    missing = "No RabbitMQ: set ADLEDGER_AMQP_URL, start one on port 5672, or start Docker."
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


async def postgres_answers(url: str) -> bool:
    """Tell whether there is a PostgreSQL where databases may be made."""
    try:
        connection = await asyncpg.connect(url, timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    may_create: bool = await connection.fetchval("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = user")
    await connection.close()
    return may_create


async def rabbitmq_answers(url: str) -> bool:
    """Tell whether there is a RabbitMQ that lets us in."""
    try:
        connection = await aio_pika.connect(url, timeout=3)
    except (OSError, TimeoutError, aio_pika.exceptions.AMQPError):
        return False
    await connection.close()
    return True


def wait_for_rabbitmq(url: str) -> None:
    """Wait until a broker that is starting lets us in; raises `AssertionError` if it never does."""
    for _ in range(START_SECONDS):
        if asyncio.run(rabbitmq_answers(url)):
            return
        time.sleep(1)
    raise AssertionError(f"no RabbitMQ after {START_SECONDS} s")


def docker_answers() -> bool:
    """Tell whether there is a Docker engine."""
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env(timeout=3).close()
    except DockerException:
        return False
    return True
