"""From spooled files to published uploads: understand all files of a request, and only then send any."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from services.ingest.api.batching import Attempt, Sending, prepare
from services.ingest.api.reading.options import ReadingOptions
from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.parsing import NotTextError, Parser, UnreadableFileError
from services.ingest.api.spool import Spool, Spooled
from shared.messages import Kind, Mode
from shared.transport import Transport

logger = logging.getLogger(__name__)

PARSES_AT_ONCE = 2


@dataclass(frozen=True)
class Refusal:
    """Why a file of a request cannot be understood; `is_text` is false for binary ones."""

    filename: str
    reason: str
    is_text: bool


class RefusedError(ValueError):
    """At least one file of a request cannot be understood, so none of them was published."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(f"{refusal.filename}: {refusal.reason}" for refusal in refusals))
        self.refusals = refusals


class Clock:
    """The time in microseconds, UTC, strictly increasing within a process."""

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time, later than any returned before."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last


@dataclass(frozen=True)
class Options:
    """What a request says about its files."""

    reading: ReadingOptions = field(default_factory=ReadingOptions)
    mode: Mode = Mode.UPSERT
    idempotency_key: str | None = None
    fixes: UUID | None = None
    sender: str | None = None


@dataclass(frozen=True)
class Intake:
    """What the ingest API works with; one for the whole process."""

    spool: Spool
    parser: Parser
    transport: Transport
    max_upload_bytes: int
    clock: Clock = field(default_factory=Clock)
    sender_header: str = ""
    parses: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PARSES_AT_ONCE))

    async def understand(self, files: list[Spooled], options: Options, folder: Path) -> list[Attempt]:
        """Read every file; raises `RefusedError` with the reasons of all that cannot be read."""
        received = [(file, self.clock.now()) for file in files]
        read = [await self._parse(file, options, folder) for file in files]
        refusals = [outcome for outcome in read if isinstance(outcome, Refusal)]
        if refusals:
            raise RefusedError(refusals)
        return [
            prepare(_sending(file, at, options), parsed)
            for (file, at), parsed in zip(received, read, strict=True)
            if isinstance(parsed, Parsed)
        ]

    async def publish(self, attempts: list[Attempt]) -> list[str]:
        """Send every attempt and return their states; raises `shared.transport.TransportUnavailableError`."""
        states = [await self.transport.publish(attempt.batches()) for attempt in attempts]
        for attempt in attempts:
            # What a broker that lost its data is held against (docs/operations.md).
            logger.info("Accepted upload %s: %s", attempt.manifest.upload_id, attempt.manifest.filename)
        return states

    async def _parse(self, file: Spooled, options: Options, folder: Path) -> Parsed | Refusal:
        work = folder / f"{file.path.name}-parsed"
        work.mkdir()
        try:
            async with self.parses:
                parsed = await asyncio.to_thread(self.parser.parse, file.path, work, options.reading)
        except UnreadableFileError as error:
            return Refusal(file.filename, str(error), is_text=not isinstance(error, NotTextError))
        if options.mode is Mode.ADD and parsed.kind is not Kind.AD_GROUP_STATS:
            reason = f"mode=add is for ad_group_stats only; this file holds {parsed.kind}."
            return Refusal(file.filename, reason, is_text=True)
        return parsed


def _sending(file: Spooled, received_at: datetime, options: Options) -> Sending:
    return Sending(
        filename=file.filename,
        content_sha256=file.sha256,
        received_at=received_at,
        mode=options.mode,
        idempotency_key=options.idempotency_key,
        said=tuple(options.reading.said()),
        fixes=options.fixes,
        sender=options.sender,
    )
