"""`POST /uploads`: files in, upload ids out."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, post
from litestar.di import Provide
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import Parameter

from services.ingest.api.batching import Attempt
from services.ingest.api.intake import Intake, Options, RefusedError
from services.ingest.api.receiving import receive
from shared.docs import answer, errors
from shared.errors import ProblemError, unavailable
from shared.messages import Kind, Mode
from shared.transport import TransportUnavailableError


class AcceptedUpload(msgspec.Struct, frozen=True):
    """An upload that will count entirely or not at all; `GET /uploads/{id}` tells when."""

    id: UUID
    kind: Kind
    mode: Mode
    filename: str
    state: str
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    received_at: datetime


class AcceptedUploads(msgspec.Struct, frozen=True):
    """One upload a file, in the order they were sent."""

    uploads: list[AcceptedUpload]


EXAMPLE = {
    "uploads": [
        {
            "id": "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
            "kind": "ad_group_stats",
            "mode": "upsert",
            "filename": "ad_group_stats.csv",
            "state": "staging",
            "rows_read": 5100,
            "rows_accepted": 4903,
            "rows_merged": 197,
            "rows_rejected": 0,
            "received_at": "2026-01-31T09:15:00.000001Z",
        },
    ],
}


def read_options(
    kind: Annotated[
        Kind | None,
        Parameter(description="What the files hold; told by their header rows when left out."),
    ] = None,
    mode: Annotated[
        Mode,
        Parameter(description="Whether a row replaces the value of its key, or adds to it (stats only)."),
    ] = Mode.UPSERT,
    idempotency_key: Annotated[
        str | None,
        Parameter(header="Idempotency-Key", description="Makes a repeat of the same request a no-op."),
    ] = None,
) -> Options:
    """Return what a request's parameters say about its files."""
    return Options(kind, mode, idempotency_key)


@dataclass
class _UploadOperation(Operation):
    """Documents the body, which the handler streams instead of declaring."""

    def __post_init__(self) -> None:
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        files = Schema(type=OpenAPIType.ARRAY, items=binary, description="One or more CSV files.")
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": files}, required=["file"])
        self.request_body = RequestBody(
            description="The file itself, or a form of files; gzip and zstd are unpacked.",
            required=True,
            content={"text/csv": OpenAPIMediaType(binary), "multipart/form-data": OpenAPIMediaType(form)},
        )


@post(
    "/uploads",
    status_code=HTTPStatus.ACCEPTED,
    request_max_body_size=None,
    dependencies={"options": Provide(read_options, sync_to_thread=False)},
    tags=["Uploads"],
    summary="Send one or more CSV files",
    operation_class=_UploadOperation,
    responses=answer(HTTPStatus.ACCEPTED, AcceptedUploads, "Accepted: it will count entirely or not at all.", EXAMPLE)
    | errors(
        BAD_REQUEST="Send each file as a part named 'file' (found: data).",
        REQUEST_ENTITY_TOO_LARGE="Larger than 4,294,967,296 bytes, the most this service takes (unpacked).",
        UNSUPPORTED_MEDIA_TYPE="logo.png: The file is binary. Send CSV text in UTF-8; spreadsheets can export it.",
        UNPROCESSABLE_ENTITY="report.csv: The header row has the columns: Day, Amount. campaigns needs campaign_id, "
        "campaign_name.",
        SERVICE_UNAVAILABLE="The queue does not answer; nothing is lost. Send the same file again.",
    ),
)
async def send_uploads(
    request: Request[Any, Any, Any],
    intake: Intake,
    options: Options,
    filename: Annotated[str | None, Parameter(description="The name of a raw body's file.")] = None,
) -> AcceptedUploads:
    """Understand every file of the request first, and publish only if each can be; rejected rows do not hinder."""
    with intake.spool.folder() as folder:
        files = await receive(request, folder, intake.max_upload_bytes, filename)
        try:
            attempts = await intake.understand(files, options, folder)
            await intake.publish(attempts)
        except RefusedError as error:
            raise _refused(error) from error
        except TransportUnavailableError as error:
            raise unavailable(f"{error} Nothing is lost: send the same request again.") from error
    state = "applied" if intake.transport.applies_at_once else "staging"
    return AcceptedUploads([_accepted(attempt, state) for attempt in attempts])


def _accepted(attempt: Attempt, state: str) -> AcceptedUpload:
    manifest = attempt.manifest
    return AcceptedUpload(
        id=manifest.upload_id,
        kind=manifest.kind,
        mode=manifest.mode,
        filename=manifest.filename,
        state=state,
        rows_read=manifest.rows_read,
        rows_accepted=manifest.rows_accepted,
        rows_merged=manifest.rows_merged,
        rows_rejected=manifest.rows_rejected,
        received_at=manifest.received_at,
    )


def _refused(error: RefusedError) -> ProblemError:
    is_text = any(refusal.is_text for refusal in error.refusals)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_text else HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    files = [{"filename": refusal.filename, "reason": refusal.reason} for refusal in error.refusals]
    return ProblemError(status, str(error), files=files)
