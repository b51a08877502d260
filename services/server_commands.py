"""The commands that run a process of adledger's, or need its own code: as opposed to clients of a running one."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any

import rich_click as click
import uvloop
from pydantic import ValidationError
from rich.console import Console

from services.client import Client, RefusedError, UnreachableError, What
from services.client_commands import REFUSED, stop
from services.demo import run_demo, sample_files
from services.docs import write_documents
from services.embedded import EmbeddedPostgresError
from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.settings import ConsumerSettings
from services.ingest.consumer.watchdog import SubscriptionLostError
from services.processes import (
    ConfigurationError,
    UpSettings,
    database_url,
    migrate,
    run_consumer,
    run_ingest,
    run_query,
    run_up,
)
from services.query.settings import QuerySettings
from services.settings_table import write_settings_page
from shared.database import SchemaOutdatedError
from shared.logging import configure_logging
from shared.settings import DatabaseSettings

SAMPLE_KEY = "sample-data"
SERVER_ERRORS = (
    ConfigurationError,
    EmbeddedPostgresError,
    SchemaOutdatedError,
    SubscriptionLostError,
    OSError,
)


def _run(start: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a server; what keeps it from starting is told in a sentence, and ends it with status 2."""
    configure_logging()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(start())
    except ValidationError as error:
        wrong = [f"ADLEDGER_{str(each['loc'][0]).upper()}: {each['msg']}." for each in error.errors()]
        stop(" ".join(wrong), REFUSED)
    except SERVER_ERRORS as error:
        stop(str(error), REFUSED)


@click.command()
@click.option("--sample-data", is_flag=True, help="Load the project's sample files, once.")
def up(*, sample_data: bool) -> None:
    """Serve everything at one address, on an embedded PostgreSQL unless ADLEDGER_DATABASE_URL names another.

    With ADLEDGER_AMQP_URL uploads go through RabbitMQ to a consumer process of its own; without, they are
    applied before they are answered. The data stay in ADLEDGER_DATA_DIR (~/.adledger).
    """
    _run(lambda: run_up(UpSettings(), on_ready=_load_sample_data if sample_data else None))


def _load_sample_data(url: str) -> None:
    """Send the sample files under a key, so that a second start does not send them again."""
    with ExitStack() as stack:
        opened = [(path.name, stack.enter_context(path.open("rb"))) for path in sample_files()]
        Client(url).upload(opened, What(idempotency_key=SAMPLE_KEY))


@click.group()
def serve() -> None:
    """Serve one of the two services alone, as they are deployed."""


@serve.command("ingest")
def serve_ingest() -> None:
    """Take uploads and commands, and send them on: through RabbitMQ, or straight to the database without one."""
    _run(lambda: run_ingest(IngestSettings()))


@serve.command("query")
def serve_query() -> None:
    """Answer reads from the database at ADLEDGER_DATABASE_URL, which may be a replica."""
    _run(lambda: run_query(QuerySettings()))


@click.command()
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="End with the process that holds the other end.")
def consume(*, until_stdin_closes: bool) -> None:
    """Take batches from RabbitMQ into the ledger, and apply complete uploads; run as many as you like."""
    _run(lambda: run_consumer(ConsumerSettings(), until_stdin_closes=until_stdin_closes))


@click.command("migrate")
def migrate_command() -> None:
    """Bring the schema of the database at ADLEDGER_DATABASE_URL up to date."""
    try:
        migrate(database_url(DatabaseSettings()))
    except SERVER_ERRORS as error:
        stop(str(error), REFUSED)
    click.echo("The schema is up to date.")


@click.command()
def demo() -> None:
    """Show it all in a minute: start a private adledger, upload the sample files, read the numbers, clean up."""
    try:
        run_demo(Console())
    except (RefusedError, UnreachableError, FileNotFoundError) as error:
        stop(str(error), REFUSED)


@click.command("schema", hidden=True)
def schema_command() -> None:
    """Write the API's documentation from the code of both services."""
    write_documents()


@click.command("settings", hidden=True)
def settings_command() -> None:
    """Write docs/settings.md from the settings classes."""
    write_settings_page()
