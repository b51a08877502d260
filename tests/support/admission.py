"""Which sendings are applied and which fail, in plain Python; the values follow from the applied ones by the model."""

from dataclasses import dataclass, field
from uuid import UUID

from shared.messages import Batch, Kind, Mode, Origin
from tests.support.model import Upload, fold


@dataclass(eq=False)
class Sending:
    """One sending of an upload, and which of its batches have been delivered."""

    upload: Upload
    tick: int
    batches: list[Batch]
    delivered: set[int] = field(default_factory=set)
    has_arrived: bool = False
    state: str = "staging"

    @property
    def id(self) -> UUID:
        return self.batches[0].manifest.upload_id

    def deliver(self, number: int) -> None:
        self.delivered.add(number)
        self.has_arrived = True
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
    final: set[Upload] = field(default_factory=set)
    compacted_before: int = -1

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
        if not (self._mends(upload, upload.fixes) if upload.fixes else self._is_new(sending)):
            return False
        earlier = set(upload.complete)
        upload.complete.add(sending.tick)
        speaks = sending.tick == (min if upload.keyed else max)(upload.complete)
        if speaks and len(self._currencies(upload)) > 1:
            upload.complete = earlier
            return False
        return True

    def _mends(self, fix: Upload, original: Upload) -> bool:
        alike = original.origin is Origin.FILE and (fix.kind, fix.mode) == (original.kind, original.mode)
        return alike and original not in self.final

    def _is_new(self, sending: Sending) -> bool:
        upload = sending.upload
        doubled = upload in self.final and upload.mode is Mode.ADD and not upload.keyed
        return sending.tick >= self.compacted_before and not doubled

    def compact(self, before: int) -> None:
        """Make final what stands before a time, with its fixes; renames only of campaigns that a file named."""
        self.settle()
        if before <= self.compacted_before:
            return
        bases = {upload for upload in self.final if upload.place() < self.compacted_before}
        old = {upload for upload in self.uploads if 0 <= upload.place() < before and upload.fixes is None} - bases
        self.compacted_before = before
        new = {upload for upload in old if upload.origin is Origin.FILE}
        known = {sending.upload for sending in self.sendings if sending.has_arrived}
        while fixes := {upload for upload in known if upload.fixes in new} - new:
            new |= fixes
        self.final |= new
        files = [upload for upload in self.final if upload.kind is Kind.CAMPAIGNS and upload.origin is Origin.FILE]
        named = fold(files)["campaigns"]
        self.final.update(upload for upload in old if upload.origin is Origin.RENAME and upload.rows[0][0] in named)

    def _currencies(self, newest: Upload) -> set[str]:
        """Return the currencies of everything that is not taken back, and that of the newest upload itself."""
        held = {self.currencies[upload] for upload in self.uploads if _stands(upload)}
        if newest.place() >= 0:
            held.add(self.currencies[newest])
        return {currency for currency in held if currency}


def _stands(upload: Upload) -> bool:
    """Tell whether neither it nor what it mends is taken back."""
    return upload.place() >= 0 and (upload.fixes is None or _stands(upload.fixes))
