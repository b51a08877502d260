"""From an understood file to the batches that carry it.

Pure: no framework. Batches are cut at line ends, the accepted rows first, then the rejected ones, then the report.
"""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from services.ingest.api.reading.parsed import Parsed
from shared.messages import Batch, Kind, Manifest, Mode, Origin, Part
from shared.reports import Report

BATCH_BYTES = 1024 * 1024
"""About how large a batch is; far below RabbitMQ's limit of 16 MiB a message."""

FILENAME_LIMIT = 255
_NAMESPACE = uuid.UUID("5b1f0c1e-6f4e-5d3a-9c55-5a1f3a3c1d70")


@dataclass(frozen=True)
class Sending:
    """One sending of a file, and what its sender said about it."""

    filename: str
    content_sha256: str
    received_at: datetime
    mode: Mode = Mode.UPSERT
    idempotency_key: str | None = None
    said: tuple[str, ...] = ()
    fixes: uuid.UUID | None = None
    sender: str | None = None


def upload_id(
    content_sha256: str,
    kind: Kind,
    mode: Mode,
    idempotency_key: str | None = None,
    said: Sequence[str] = (),
) -> uuid.UUID:
    """Return the upload's id: UUIDv5 (RFC 9562) of its content and everything that changes its meaning.

    `said` are the options that change the reading, each as `name=value`.
    """
    meaning = "&".join([mode, *said])
    parts = [content_sha256, kind, meaning, *([] if idempotency_key is None else [idempotency_key])]
    return uuid.uuid5(_NAMESPACE, "\n".join(parts))


@dataclass(frozen=True)
class Attempt:
    """An understood file on its way: its manifest, and where its batches are cut from."""

    manifest: Manifest
    rows: Path
    rejections: Path
    report: Report

    def batches(self) -> Iterator[Batch]:
        """Yield the batches in order, each read from disk when its turn comes."""
        rows = ((Part.ROWS, body) for body in _cut(self.rows))
        rejections = ((Part.REJECTIONS, body) for body in _cut(self.rejections))
        report = [(Part.REPORT, msgspec.json.encode(self.report) + b"\n")]
        for number, (part, body) in enumerate(itertools.chain(rows, rejections, report)):
            yield Batch(manifest=self.manifest, number=number, part=part, body=body)


def prepare(sending: Sending, parsed: Parsed) -> Attempt:
    """Return the attempt that carries what was understood of a sending."""
    said = [*sending.said, *([f"fixes={sending.fixes}"] if sending.fixes else [])]
    manifest = Manifest(
        upload_id=upload_id(sending.content_sha256, parsed.kind, sending.mode, sending.idempotency_key, said),
        received_at=sending.received_at,
        kind=parsed.kind,
        mode=sending.mode,
        origin=Origin.FILE,
        keyed=sending.idempotency_key is not None,
        filename=sending.filename[:FILENAME_LIMIT],
        content_sha256=sending.content_sha256,
        batches=_count(parsed.rows) + _count(parsed.rejections) + 1,
        rows_read=parsed.rows_read,
        rows_accepted=parsed.rows_accepted,
        rows_merged=parsed.rows_merged,
        rows_rejected=parsed.rows_rejected,
        totals=parsed.totals,
        bounds=parsed.bounds,
        fixes=sending.fixes,
        currency=parsed.report.currency,
        sender=sending.sender,
    )
    return Attempt(manifest, parsed.rows, parsed.rejections, parsed.report)


def _cut(path: Path) -> Iterator[bytes]:
    """Yield the file in pieces of whole lines, each of `BATCH_BYTES` and the rest of its last line."""
    with path.open("rb") as file:
        while piece := file.read(BATCH_BYTES):
            yield piece + file.readline()


def _count(path: Path) -> int:
    return sum(1 for _ in _cut(path))
