"""The client commands: what the command line asks of a running adledger."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from services.client import Client, RefusedError, UnreachableError, What
from services.demo import upload_with_progress
from services.report import show_rejections, show_uploads
from shared.messages import Kind, Mode

REJECTED, REFUSED, UNREACHABLE = 1, 2, 3
"""Exit codes of client commands: rows were rejected; the server refused; nobody answered."""


KINDS = click.Choice([kind.value for kind in Kind])
MODES = click.Choice([mode.value for mode in Mode])

url_option = click.option(
    "--url",
    envvar="ADLEDGER_URL",
    default="http://127.0.0.1:8000",
    show_default=True,
    show_envvar=True,
    help="Where adledger is.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def stop(reason: str, status: int) -> NoReturn:
    """Say why on standard error, and end the process."""
    click.echo(reason, err=True)
    sys.exit(status)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=KINDS, help="What the files hold; their header rows tell it.")
@click.option(
    "--mode",
    type=MODES,
    help="Replace the value of each key (upsert), or add to it.",
)
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
                uploads = [client.wait(each, timeout, keyed=key is not None) for each in uploads]
        _report(client, console, uploads, as_json=as_json)
    except RefusedError as error:
        stop(str(error), REFUSED)
    except UnreachableError as error:
        stop(str(error), UNREACHABLE)
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


@click.command("uploads")
@click.option("--limit", default=20, show_default=True, help="How many.")
@json_option
@url_option
def uploads_command(limit: int, as_json: bool, url: str) -> None:
    """List the latest uploads and what became of them."""
    try:
        listed = Client(url).get("/uploads", limit=limit)
    except RefusedError as error:
        stop(str(error), REFUSED)
    except UnreachableError as error:
        stop(str(error), UNREACHABLE)
    if as_json:
        click.echo(json.dumps(listed, indent=2))
    else:
        show_uploads(Console(), listed)


@click.command()
@click.argument("upload_id")
@url_option
def revert(upload_id: str, url: str) -> None:
    """Take an upload back, with all its sendings so far: the numbers become what they would be without it.

    Sent again later, it counts again. Exits with 2 when there is no such upload or it cannot be taken back.
    """
    try:
        done = Client(url).revert(upload_id)
    except RefusedError as error:
        stop(str(error), REFUSED)
    except UnreachableError as error:
        stop(str(error), UNREACHABLE)
    click.echo("Taken back." if done else "Asked for; it takes a while. See: adledger uploads")


COMMANDS = (upload, uploads_command, revert)
