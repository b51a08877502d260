"""The queues, declared the same by every process that needs them.

A queue's type and arguments can never be changed once it exists, so they are decided here for good:
quorum queues (replicated, fsynced before the confirm), dead letters kept at least once (which RabbitMQ
only does with `reject-publish`), and a delivery limit far above what crashes of a consumer can cause.
Limits on length are left to policies, which operators can change.
"""

from dataclasses import dataclass

DELIVERY_LIMIT = 100


@dataclass(frozen=True)
class Topology:
    """The names of the queues, all under one prefix so that installations can share a virtual host."""

    prefix: str = "adledger"

    @property
    def batches(self) -> str:
        """The queue of batches."""
        return f"{self.prefix}.batches"

    @property
    def commands(self) -> str:
        """The small queue of commands, so that a rename never waits behind a large upload."""
        return f"{self.prefix}.commands"

    @property
    def dead_letters(self) -> str:
        """The queue that holds what no consumer could take."""
        return f"{self.prefix}.dead-letters"

    @property
    def work_arguments(self) -> dict[str, str | int]:
        """The arguments of the queues of batches and commands."""
        return {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.dead_letters,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }

    @property
    def dead_letter_arguments(self) -> dict[str, str | int]:
        """The arguments of the dead-letter queue."""
        return {"x-queue-type": "quorum"}

    def queues(self) -> dict[str, dict[str, str | int]]:
        """Every queue with its arguments, the dead-letter queue first, since the others point to it."""
        return {
            self.dead_letters: self.dead_letter_arguments,
            self.batches: self.work_arguments,
            self.commands: self.work_arguments,
        }
