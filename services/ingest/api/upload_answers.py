"""What `POST /uploads` answers with."""

from typing import Annotated, Any

import msgspec

from services.ingest.api.batching import Attempt
from shared.docs import (
    Filename,
    Problem,
    ReceivedAt,
    RowsAccepted,
    RowsMerged,
    RowsRead,
    RowsRejected,
    UploadId,
)
from shared.messages import Kind, Mode
from shared.reports import Report


class AcceptedUpload(msgspec.Struct, frozen=True):
    """An upload that will count entirely or not at all; `GET /uploads/{id}` tells when."""

    id: UploadId
    kind: Annotated[Kind, msgspec.Meta(description="As asked for, or as its header row tells.")]
    mode: Annotated[Mode, msgspec.Meta(description="As asked for.")]
    filename: Filename
    state: Annotated[
        str,
        msgspec.Meta(description="`staging`: on its way; `applied`: its numbers can be read already."),
    ]
    rows_read: RowsRead
    rows_accepted: RowsAccepted
    rows_merged: RowsMerged
    rows_rejected: RowsRejected
    received_at: ReceivedAt


class AcceptedUploads(msgspec.Struct, frozen=True):
    """One upload a file, in the order they were sent."""

    uploads: Annotated[list[AcceptedUpload], msgspec.Meta(description="One for each file.")]


class CheckedUpload(msgspec.Struct, frozen=True):
    """What a file would be as an upload; nothing was taken."""

    id: UploadId
    kind: Annotated[Kind, msgspec.Meta(description="As asked for, or as its header row tells.")]
    mode: Annotated[Mode, msgspec.Meta(description="As asked for.")]
    filename: Filename
    rows_read: RowsRead
    rows_accepted: RowsAccepted
    rows_merged: RowsMerged
    rows_rejected: RowsRejected
    report: Annotated[Report, msgspec.Meta(description="How it was read.")]


class CheckedUploads(msgspec.Struct, frozen=True):
    """The answer to a dry run: one a file, in the order they were sent."""

    uploads: Annotated[list[CheckedUpload], msgspec.Meta(description="One for each file.")]


class RefusedFile(msgspec.Struct, frozen=True):
    """A file that cannot be read, for which none of its request was taken."""

    filename: Annotated[str, msgspec.Meta(description="Its name.")]
    reason: Annotated[str, msgspec.Meta(description="What is wrong with it, and what would be right.")]


class RefusedFiles(Problem, frozen=True):
    """The error for files that cannot be read; nothing was taken."""

    files: Annotated[
        list[RefusedFile],
        msgspec.Meta(
            description="Every file that cannot be read; absent when the encoding of the request is at fault."
        ),
    ] = msgspec.field(default_factory=list)


def accepted(attempt: Attempt, state: str) -> AcceptedUpload:
    """Return the answer to an upload that was sent on."""
    return AcceptedUpload(**_told(attempt), state=state, received_at=attempt.manifest.received_at)


def checked(attempt: Attempt) -> CheckedUpload:
    """Return the answer to a dry run."""
    return CheckedUpload(**_told(attempt), report=attempt.report)


def _told(attempt: Attempt) -> dict[str, Any]:
    manifest = attempt.manifest
    names = ("kind", "mode", "filename", "rows_read", "rows_accepted", "rows_merged", "rows_rejected")
    return {"id": manifest.upload_id} | {name: getattr(manifest, name) for name in names}
