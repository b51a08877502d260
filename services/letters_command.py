"""`adledger dead-letters`: list, show and replay what no consumer could take."""

import asyncio

import rich_click as click
from rich.console import Console

from services.client_commands import REFUSED, UNREACHABLE, stop
from services.ingest.consumer.letters import DeadLetters, Letter
from services.report import show_table
from shared.confirmed import FAILURES
from shared.settings import BrokerSettings
from shared.topology import Topology
from shared.transport import TransportUnavailableError

SHOWN_BYTES = 2000


@click.command("dead-letters")
@click.option("--show", type=int, help="Show one letter whole: its headers, and the beginning of its body.")
@click.option("--replay", type=int, help="Send one letter to where it came from once more.")
@click.option("--replay-all", is_flag=True, help="Send all letters to where they came from once more.")
def dead_letters(show: int | None, replay: int | None, replay_all: bool) -> None:
    """List what no consumer could take, with the reasons; the broker is at ADLEDGER_AMQP_URL.

    Mend the cause first: replayed into the same trouble, a letter comes back.
    """
    settings = BrokerSettings()
    url = settings.amqp_url.get_secret_value()
    if not url:
        stop("Set ADLEDGER_AMQP_URL to RabbitMQ's address, amqp://user:password@host:5672/vhost.", REFUSED)
    letters = DeadLetters(url, Topology(settings.queue_prefix))
    try:
        asyncio.run(_run(letters, show, replay, replay_all=replay_all))
    except (*FAILURES, TransportUnavailableError) as error:
        stop(f"RabbitMQ does not answer: {error}", UNREACHABLE)


async def _run(letters: DeadLetters, show: int | None, replay: int | None, *, replay_all: bool) -> None:
    try:
        if replay is not None or replay_all:
            click.echo(f"Sent {await letters.replay(None if replay_all else replay)} once more.")
            return
        listed = await letters.read()
    finally:
        await letters.close()
    chosen = [letter for letter in listed if letter.number == show]
    if show is None:
        _list(listed)
    elif chosen:
        _show(chosen[0])
    else:
        stop(f"There is no letter {show}; there are {len(listed)}.", REFUSED)


def _list(letters: list[Letter]) -> None:
    rows = [(letter.number, letter.content_type, len(letter.body), letter.reason) for letter in letters]
    show_table(Console(), "Dead letters", ("number", "what", "bytes", "reason"), rows, numbers_from=9)


def _show(letter: Letter) -> None:
    click.echo(f"Reason: {letter.reason}")
    for name, value in letter.headers.items():
        click.echo(f"{name}: {value}")
    click.echo(letter.body[:SHOWN_BYTES].decode(errors="replace"))
