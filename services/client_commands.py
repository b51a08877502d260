"""The client commands: what the command line asks of a running adledger."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click
from rich.console import Console

from services.client import Client, RefusedError, UnreachableError
from services.report import show_uploads

REJECTED, REFUSED, UNREACHABLE = 1, 2, 3
"""Exit codes of client commands: rows were rejected; the server refused; nobody answered."""

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


@click.command()
@click.argument("upload_id")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write to; standard output when left out.",
)
@url_option
def rejections(upload_id: str, output: Path | None, url: str) -> None:
    """Write the rows of an upload that were not loaded as a CSV file, to mend and send with `upload --fixes`.

    Each is there as it stands in the file, and behind it its line, and the column, the value and the reason. Mend the
    rows; the columns behind them may stay.
    """
    try:
        content = Client(url).rejections(upload_id)
    except RefusedError as error:
        stop(str(error), REFUSED)
    except UnreachableError as error:
        stop(str(error), UNREACHABLE)
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        stop(f"Cannot write {output}: {error.strerror}.", REFUSED)
    click.echo(f"Mend the rows in {output}, and then: adledger upload {output} --fixes {upload_id}")
