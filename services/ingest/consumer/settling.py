"""How a message's stay ends: acknowledged, put among the dead letters with its reason, or handed back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aio_pika
from faststream.rabbit import RabbitMessage

from shared.confirmed import ConfirmedPublisher
from shared.database import is_transient
from shared.messages import MalformedMessageError
from shared.topology import Topology
from shared.wire import REASON_HEADER

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
HANG_SECONDS = 120.0
"""After so long the work on a batch counts as hung; the statements it runs end much sooner by themselves."""

Work = Callable[[], Awaitable[None]]


class HungError(RuntimeError):
    """A message was worked on for longer than any message needs."""


class Settler:
    """Does the work that messages ask for, and settles them, whatever happens."""

    def __init__(self, publisher: ConfirmedPublisher, topology: Topology) -> None:
        self._publisher = publisher
        self._topology = topology

    async def settle(self, message: RabbitMessage, work: Work, limit: float = HANG_SECONDS) -> None:
        """Do the work, within `limit` seconds a try, and end the message's stay.

        While the database is away the message stays unacknowledged and the work is tried again, ever less often:
        with every slot of the prefetch held like this, consuming pauses by itself.
        """
        try:
            await self._do_or_bury(message, work, limit)
        except Exception:
            logger.exception("A message could not be handled; handing it back.")
            await asyncio.sleep(FIRST_PAUSE_SECONDS)
            # `reject`, since RabbitMQ 4.3 no longer counts what is handed back by `nack`.
            await message.reject(requeue=True)
        else:
            await message.ack()

    async def _do_or_bury(self, message: RabbitMessage, work: Work, limit: float) -> None:
        try:
            await _detached(work, limit)
        except MalformedMessageError as error:
            await self._bury(message, str(error))

    async def _bury(self, message: RabbitMessage, reason: str) -> None:
        """Put a copy with its reason among the dead letters; only then may the message be acknowledged."""
        logger.warning("Put a message among the dead letters: %s", reason)
        raw = message.raw_message
        headers = {**raw.headers, REASON_HEADER: reason[:1000]}
        letter = aio_pika.Message(
            raw.body,
            headers=headers,
            content_type=raw.content_type,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await self._publisher.send(letter, self._topology.dead_letters)


async def _detached(work: Work, limit: float) -> None:
    """Do the work in a task of its own: the channel's is cancelled when the channel dies, perhaps amid a commit."""
    task = asyncio.create_task(_persist(work, limit))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(_log_outcome)
        raise


async def _persist(work: Work, limit: float) -> None:
    """Do the work, again and again for as long as only passing failures hinder it."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            async with asyncio.timeout(limit) as timer:
                return await work()
        except Exception as error:
            if timer.expired():
                raise HungError(f"Nothing came of a message for {limit:.0f} s.") from error
            if not is_transient(error):
                raise
            logger.warning("The database cannot take a message now; trying again in %.1f s. %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _log_outcome(task: asyncio.Task[None]) -> None:
    """Say what became of work whose channel went away; the message comes again, and its receipt decides."""
    if not task.cancelled() and task.exception() is not None:
        logger.warning("Work that outlived its channel failed: %s", task.exception())
