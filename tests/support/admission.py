"""Which sendings are applied and which fail, in plain Python; the values follow from the applied ones by the model."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.messages import Batch, Origin
from tests.support.model import Upload


@dataclass(eq=False)
class Sending:
    """One sending of an upload, and which of its batches have been delivered."""

    upload: Upload
    tick: int
    batches: list[Batch]
    delivered: set[int] = field(default_factory=set)
    state: str = "staging"

    @property
    def id(self) -> UUID:
        return self.batches[0].manifest.upload_id

    def deliver(self, number: int) -> None:
        self.delivered.add(number)
        if self.state == "staging" and len(self.delivered) == len(self.batches):
            self.state = "complete"

    def give_up(self) -> None:
        """Forget what has been delivered, if the last batch has not."""
        if self.state == "staging" and len(self.batches) - 1 not in self.delivered:
            self.delivered.clear()


@dataclass
class Admission:
    """All that was sent and asked for, and what has been applied of it."""

    sendings: list[Sending] = field(default_factory=list)
    currencies: dict[Upload, str | None] = field(default_factory=dict)
    reverts: list[tuple[Upload, int]] = field(default_factory=list)

    @property
    def uploads(self) -> list[Upload]:
        return list(self.currencies)

    def settle(self) -> None:
        """Apply everything that can be, as an applier does."""
        while ready := [each for each in self.sendings if each.state == "complete" and self._is_due(each)]:
            for sending in sorted(ready, key=lambda each: (each.tick, each.id)):
                sending.state = "applied" if self._admit(sending) else "failed"
            self._take_back()
        self._take_back()

    def _take_back(self) -> None:
        for upload, tick in self.reverts:
            upload.reverts.add(tick)

    @staticmethod
    def _is_due(sending: Sending) -> bool:
        """A fix waits until what it mends has been applied."""
        return sending.upload.fixes is None or bool(sending.upload.fixes.complete)

    def _admit(self, sending: Sending) -> bool:
        upload = sending.upload
        if upload.fixes and not _alike(upload, upload.fixes):
            return False
        before = set(upload.complete)
        upload.complete.add(sending.tick)
        if len(self._currencies(upload)) > 1:
            upload.complete = before
            return False
        return True

    def _currencies(self, newest: Upload) -> set[str]:
        """Return the currencies of everything that is not taken back, and that of the newest upload itself."""
        held = {self.currencies[upload] for upload in self.uploads if _stands(upload)}
        if newest.place() >= 0:
            held.add(self.currencies[newest])
        return {currency for currency in held if currency}


def _alike(fix: Upload, original: Upload) -> bool:
    return original.origin is Origin.FILE and (fix.kind, fix.mode) == (original.kind, original.mode)


def _stands(upload: Upload) -> bool:
    """Tell whether neither it nor what it mends is taken back."""
    return upload.place() >= 0 and (upload.fixes is None or _stands(upload.fixes))
