"""`adledger upload`: send files, wait until they count, and say how they were read."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from services.client import Client, Json, RefusedError, UnreachableError, What
from services.client_commands import REFUSED, REJECTED, UNREACHABLE, json_option, stop, url_option
from services.report import in_own_words, show_reading, show_rejections, show_uploads
from shared.messages import Kind, Mode

DATE_ORDERS = click.Choice(["ymd", "dmy", "mdy"])
KINDS = click.Choice([kind.value for kind in Kind])
MODES = click.Choice([mode.value for mode in Mode])

SAID = (
    click.option("--kind", type=KINDS, help="What the files hold; their header rows tell it."),
    click.option("--mode", type=MODES, help="Replace the value of each key (upsert), or add to it."),
    click.option("--encoding", help="How the files are encoded, where they are not UTF-8: windows-1252, …"),
    click.option("--locale", help="How numbers are written: point (1,234.56), comma (1.234,56), or a language."),
    click.option(
        "--date-order", type=DATE_ORDERS, help="The order of day, month and year, where the dates leave it open."
    ),
    click.option("--fixes", metavar="ID", help="The upload whose rejected rows these files mend."),
    click.option("--idempotency-key", help="Makes a repeat of the same command a no-op."),
    click.option("--dry-run", is_flag=True, help="Read the files and say what would be taken; take nothing."),
)


def what_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say something about its files."""
    for option in reversed(SAID):
        command = option(command)
    return command


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@what_options
@click.option("--wait/--no-wait", default=True, help="Wait until the numbers can be read.", show_default=True)
@click.option("--timeout", default=300.0, show_default=True, help="How many seconds to wait.")
@json_option
@url_option
def upload(
    files: tuple[Path, ...],
    *,
    dry_run: bool,
    wait: bool,
    timeout: float,
    as_json: bool,
    url: str,
    **said: str | None,
) -> None:
    """Send CSV files, all in one request: either each of them is understood, or none is sent on.

    Rows that cannot be loaded are shown, and do not hinder the others. To mend them:  adledger rejections ID -o
    mend.csv, put right what is wrong there, and  adledger upload mend.csv --fixes ID.

    Exits with 0 when all is well, 1 when rows were rejected, 2 when the server refuses the files or cannot apply
    them, and 3 when nobody answers.
    """
    client = Client(url)
    console = Console(stderr=as_json)
    try:
        uploads = _send(client, console, list(files), What(**said, dry_run=dry_run), timeout if wait else 0)
        _report(client, console, uploads, as_json=as_json)
    except RefusedError as error:
        stop(in_own_words(str(error)), REFUSED)
    except UnreachableError as error:
        stop(str(error), UNREACHABLE)
    sys.exit(_status(uploads))


def _send(client: Client, console: Console, files: list[Path], what: What, seconds: float) -> list[Json]:
    """Send the files and wait so many seconds for them to count; returns what the server says of each."""
    said = client.as_written(what) if what.fixes else what
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=console) as progress:
        uploads = upload_with_progress(client, files, said, progress)
    if not seconds or said.dry_run:
        return uploads
    with console.status("Waiting until the numbers can be read"):
        return [client.wait(each, seconds, keyed=said.idempotency_key is not None) for each in uploads]


def _report(client: Client, console: Console, uploads: list[Json], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"uploads": uploads}, indent=2))
        return
    show_uploads(console, uploads)
    for each in uploads:
        show_reading(console, each)
        if each["rows_rejected"] and each.get("state") == "applied":
            show_rejections(console, client.get(f"/uploads/{each['id']}/rejections"), each["filename"])
            console.print(f"To mend them:  adledger rejections {each['id']} -o mend.csv\n", soft_wrap=True)


def _status(uploads: list[Json]) -> int:
    if any(each.get("state") in {"failed", "abandoned"} for each in uploads):
        return REFUSED
    return REJECTED if any(each["rows_rejected"] for each in uploads) else 0


def upload_with_progress(client: Client, files: list[Path], what: What, progress: Progress) -> list[Json]:
    """Send files in one request, with a bar for each that shows how much of it has gone."""
    with ExitStack() as stack:
        opened = [(path.name, stack.enter_context(progress.open(path, "rb", description=path.name))) for path in files]
        return client.upload(opened, what)
