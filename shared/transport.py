"""How batches and commands reach the consumer: a protocol with two implementations.

`services.ingest.api.publishing` speaks to RabbitMQ; `services.local` calls the consumer's handler in the same
process, and returns after its commit.
"""

from collections.abc import Iterable
from typing import Protocol

from shared.messages import Answer, Batch, Command


class TransportUnavailableError(RuntimeError):
    """Nobody confirmed that the message arrived: the outcome is unknown, and sending it again is safe."""


class Transport(Protocol):
    """What the ingest API needs of whatever carries its messages."""

    async def publish(self, batches: Iterable[Batch]) -> str:
        """Send all batches of one attempt, and return the upload's state once each is confirmed.

        The last batch is sent only after all others are confirmed. Raises `TransportUnavailableError`.
        """

    async def ask(self, command: Command, seconds: float) -> Answer | None:
        """Send the command, and wait for its answer for so many seconds from then on; None when that is too short.

        Raises `TransportUnavailableError` when the command itself could not be sent.
        """

    async def is_ready(self) -> bool:
        """Tell whether messages can be sent now."""
