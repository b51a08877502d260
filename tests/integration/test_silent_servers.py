"""Servers that take connections and say nothing, and networks that lose what was said: nobody waits for ever."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit, urlunsplit

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.api.publishing import WINDOW_BYTES, rabbit_transport
from services.ingest.api.replies import Replies
from services.ingest.consumer import lifeline
from services.ingest.consumer.lifeline import transaction
from shared.confirmed import FAILURES, ConfirmedPublisher
from shared.database import close, create_writer
from shared.messages import Batch, Kind
from shared.topology import Topology
from shared.transport import TransportUnavailableError
from tests.faults.proxy import Proxy
from tests.support.databases import execute
from tests.support.running import running
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

BOUND_SECONDS = 40


@asynccontextmanager
async def proxied(url: str, default_port: int) -> AsyncIterator[tuple[Proxy, str]]:
    """Yield a proxy in front of the server at an address, and the address that leads through it."""
    parts = urlsplit(url)
    sockets = parse_qs(parts.query).get("host")

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if sockets:
            return await asyncio.open_unix_connection(f"{sockets[0]}/.s.PGSQL.5432")
        return await asyncio.open_connection(parts.hostname, parts.port or default_port)

    proxy = Proxy(connect)
    port = await proxy.open()
    user = f"{parts.username}:{parts.password}" if parts.password else parts.username
    try:
        yield proxy, urlunsplit((parts.scheme, f"{user}@127.0.0.1:{port}", parts.path, "", ""))
    finally:
        await proxy.close()


@pytest.mark.parametrize("command", [("serve", "query"), ("consume",)])
async def test_a_process_ends_in_time_though_its_database_says_nothing(
    command: tuple[str, ...], database_url: str, rabbitmq: str, topology: Topology, tmp_path: Path
) -> None:
    async with proxied(database_url, 5432) as (proxy, url):
        settings = {
            "ADLEDGER_DATABASE_URL": url,
            "ADLEDGER_AMQP_URL": rabbitmq,
            "ADLEDGER_QUEUE_PREFIX": topology.prefix,
        }
        context = running(tmp_path, *command, settings=settings)
        process = await asyncio.to_thread(context.__enter__)
        proxy.hold()
        # `stop` raises when it takes longer than the 40 s that are promised.
        assert await asyncio.to_thread(process.stop) == 0
        context.__exit__(None, None, None)


async def test_a_commit_whose_answer_was_lost_ends_with_a_lost_connection(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifeline, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(lifeline, "IDLE_SECONDS", 0.5)
    async with proxied(database_url, 5432) as (proxy, url):
        engine = create_writer(url)
        async with asyncio.timeout(BOUND_SECONDS):
            with pytest.raises((SQLAlchemyError, OSError)):
                await _lose(engine, proxy)
            async with transaction(engine) as connection:
                assert await connection.scalar(text("SELECT 1")) == 1
        await close(engine)


async def _lose(engine: AsyncEngine, proxy: Proxy) -> None:
    """Let the answer to a COMMIT get lost: the server has done its work, and will never say another word."""
    async with transaction(engine) as connection:
        await connection.scalar(text("SELECT 1"))
        proxy.down.loses = True
        asyncio.get_running_loop().call_later(0.5, proxy.heal)


@pytest.mark.parametrize("tracks", ["on", "off"])
async def test_a_long_statement_is_not_taken_for_a_lost_one(
    tracks: str, postgres: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifeline, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(lifeline, "IDLE_SECONDS", 0.1)
    await execute(postgres, f"ALTER DATABASE {urlsplit(database_url).path[1:]} SET track_activities = {tracks}")
    engine = create_writer(database_url)
    async with transaction(engine) as connection:
        assert await connection.scalar(text("SELECT 1 FROM pg_sleep(1)")) == 1
    await close(engine)


async def test_nobody_waits_for_ever_for_a_broker_that_says_nothing(topology: Topology) -> None:
    async with proxied("amqp://guest:guest@127.0.0.1/", 5672) as (proxy, url):
        proxy.hold()
        publisher = ConfirmedPublisher(url, topology)
        async with asyncio.timeout(BOUND_SECONDS):
            with pytest.raises(FAILURES):
                await publisher.channel()
            await publisher.close()


def _large(count: int) -> list[Batch]:
    """Return batches of half a megabyte; nobody is going to read them."""
    first = batches(Kind.AD_GROUP_STATS, [(1, date(2026, 1, 1), 1, 1, 1, 1, 1)], datetime.now(UTC))[0]
    body = b"x" * 2**19
    return [Batch(manifest=first.manifest, number=n, part=first.part, body=body) for n in range(count)]


async def test_no_more_is_under_way_than_the_window_holds(rabbitmq: str, topology: Topology) -> None:
    async with proxied(rabbitmq, 5672) as (proxy, url), rabbit_transport(url, topology) as transport:
        await transport.is_ready()
        proxy.hold(up=False)
        before = proxy.up.passed
        publishing = asyncio.create_task(transport.publish(_large(3 * WINDOW_BYTES // 2**19)))
        # Shorter than a confirm is waited for, after which what is in the window is sent once more.
        await asyncio.sleep(3)
        assert 0 < proxy.up.passed - before < WINDOW_BYTES * 1.1
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        proxy.heal()


async def test_an_answer_that_nobody_waits_for_any_more_is_no_complaint(rabbitmq: str) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    replies = Replies(rabbitmq)
    with contextlib.suppress(TransportUnavailableError):
        async with replies.expect():
            replies._on_closed()
            raise TransportUnavailableError("The command could not be sent.")
    gc.collect()
    await asyncio.sleep(0)
    await replies.close()
    assert complaints == []
