"""The command line: runs each process, and is a client of a running adledger."""

import asyncio
import json
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from services.client import Client, RefusedError, UnreachableError, What
from services.demo import run_demo, sample_files, upload_with_progress
from services.docs import write_documents
from services.embedded import EmbeddedPostgresError
from services.ingest.api.settings import IngestSettings
from services.ingest.consumer.settings import ConsumerSettings
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
from services.report import show_rejections, show_uploads
from services.settings_table import write_settings_page
from shared.database import SchemaOutdatedError
from shared.logging import configure_logging
from shared.messages import Kind, Mode
from shared.settings import DatabaseSettings

REJECTED, REFUSED, UNREACHABLE = 1, 2, 3
"""Exit codes of client commands: rows were rejected; the server refused; nobody answered."""

SAMPLE_KEY = "sample-data"
SERVER_ERRORS = (ConfigurationError, EmbeddedPostgresError, SchemaOutdatedError, ValidationError, OSError)

url_option = click.option(
    "--url",
    envvar="ADLEDGER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    show_envvar=True,
    help="Where adledger is.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="adledger")
def main() -> None:
    """Ad-performance CSVs in, the right numbers out.

    Try it:  adledger up --sample-data, then open http://127.0.0.1:8000 and  adledger uploads.

    Servers read their settings from the environment (ADLEDGER_...); docs/operations.md lists them.
    """


def _run(process: Coroutine[Any, Any, None]) -> None:
    """Run a server; what keeps it from starting is told in a sentence, and ends it with status 2."""
    try:
        asyncio.run(process)
    except SERVER_ERRORS as error:
        _stop(str(error), REFUSED)


def _stop(reason: str, status: int) -> NoReturn:
    click.echo(reason, err=True)
    sys.exit(status)


@main.command()
@click.option("--sample-data", is_flag=True, help="Load the project's sample files, once.")
def up(sample_data: bool) -> None:
    """Serve everything at one address, on an embedded PostgreSQL unless ADLEDGER_DATABASE_URL names another.

    With ADLEDGER_AMQP_URL uploads go through RabbitMQ to a consumer process of its own; without, they are
    applied before they are answered. The data stay in ADLEDGER_DATA_DIR (~/.adledger).
    """
    configure_logging()
    try:
        settings = UpSettings()
    except ValidationError as error:
        _stop(str(error), REFUSED)
    _run(run_up(settings, on_ready=_load_sample_data if sample_data else None))


def _load_sample_data(url: str) -> None:
    """Send the sample files under a key, so that a second start does not send them again."""
    with ExitStack() as stack:
        opened = [(path.name, stack.enter_context(path.open("rb"))) for path in sample_files()]
        Client(url).upload(opened, What(idempotency_key=SAMPLE_KEY))


@main.group()
def serve() -> None:
    """Serve one of the two services alone, as they are deployed."""


@serve.command("ingest")
def serve_ingest() -> None:
    """Take uploads and commands, and send them on: through RabbitMQ, or straight to the database without one."""
    configure_logging()
    _run(run_ingest(IngestSettings()))


@serve.command("query")
def serve_query() -> None:
    """Answer reads from the database at ADLEDGER_DATABASE_URL, which may be a replica."""
    configure_logging()
    _run(run_query(QuerySettings()))


@main.command()
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="End with the process that holds the other end.")
def consume(until_stdin_closes: bool) -> None:
    """Take batches from RabbitMQ into the ledger, and apply complete uploads; run as many as you like."""
    configure_logging()
    _run(run_consumer(ConsumerSettings(), until_stdin_closes=until_stdin_closes))


@main.command("migrate")
def migrate_command() -> None:
    """Bring the schema of the database at ADLEDGER_DATABASE_URL up to date."""
    try:
        migrate(database_url(DatabaseSettings()))
    except SERVER_ERRORS as error:
        _stop(str(error), REFUSED)
    click.echo("The schema is up to date.")


@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice([*Kind]), help="What the files hold; their header rows tell it.")
@click.option("--mode", type=click.Choice([*Mode]), help="Replace the value of each key (upsert), or add to it.")
@click.option("--idempotency-key", "key", help="Makes a repeat of the same command a no-op.")
@click.option("--wait/--no-wait", default=True, help="Wait until the numbers can be read.", show_default=True)
@click.option("--timeout", default=300.0, show_default=True, help="How many seconds to wait.")
@json_option
@url_option
def upload(
    files: tuple[Path, ...],
    kind: str | None,
    mode: str | None,
    key: str | None,
    wait: bool,
    timeout: float,
    as_json: bool,
    url: str,
) -> None:
    """Send CSV files, all in one request: either each of them is understood, or none is sent on.

    Exits with 0 when all is well, 1 when rows were rejected (they are shown), 2 when the server refuses the
    files or cannot apply them, and 3 when nobody answers.
    """
    client = Client(url)
    console = Console(stderr=as_json)
    try:
        with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress:
            uploads = upload_with_progress(client, list(files), What(kind, mode, key), progress)
            if wait:
                progress.add_task("Waiting until the numbers can be read", total=None)
                uploads = [client.wait(each, timeout) for each in uploads]
        _report(client, console, uploads, as_json=as_json)
    except RefusedError as error:
        _stop(str(error), REFUSED)
    except UnreachableError as error:
        _stop(str(error), UNREACHABLE)
    sys.exit(_status(uploads))


def _report(client: Client, console: Console, uploads: list[Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"uploads": uploads}, indent=2))
        return
    show_uploads(console, uploads)
    for each in uploads:
        if each.get("reason"):
            console.print(f"{each['filename']}: {each['reason']}")
        if each["rows_rejected"] and each["state"] == "applied":
            show_rejections(console, client.get(f"/uploads/{each['id']}/rejections"), each["filename"])


def _status(uploads: list[Any]) -> int:
    if any(each["state"] in {"failed", "abandoned"} for each in uploads):
        return REFUSED
    return REJECTED if any(each["rows_rejected"] for each in uploads) else 0


@main.command("uploads")
@click.option("--limit", default=20, show_default=True, help="How many.")
@json_option
@url_option
def uploads_command(limit: int, as_json: bool, url: str) -> None:
    """List the latest uploads and what became of them."""
    try:
        listed = Client(url).get("/uploads", limit=limit)
    except RefusedError as error:
        _stop(str(error), REFUSED)
    except UnreachableError as error:
        _stop(str(error), UNREACHABLE)
    if as_json:
        click.echo(json.dumps(listed, indent=2))
    else:
        show_uploads(Console(), listed)


@main.command()
def demo() -> None:
    """Show it all in a minute: start a private adledger, upload the sample files, read the numbers, clean up."""
    try:
        run_demo(Console())
    except (RefusedError, UnreachableError, FileNotFoundError) as error:
        _stop(str(error), REFUSED)


@main.command("schema", hidden=True)
def schema_command() -> None:
    """Write the API's documentation from the code of both services."""
    write_documents()


@main.command("settings", hidden=True)
def settings_command() -> None:
    """Write docs/settings.md from the settings classes."""
    write_settings_page()


if __name__ == "__main__":
    main()
