"""`POST /uploads`: files in, upload ids out."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import Parameter

from services.ingest.api.batching import Attempt
from services.ingest.api.intake import Intake, Options, RefusedError
from services.ingest.api.receiving import receive
from services.ingest.api.room import FULL_DETAIL, room
from services.ingest.api.spool import TooLargeError
from services.ingest.api.upload_options import OPTIONS
from shared.docs import (
    Filename,
    Problem,
    ReceivedAt,
    RowsAccepted,
    RowsMerged,
    RowsRead,
    RowsRejected,
    UploadId,
    answer,
    errors,
    problem,
)
from shared.errors import ProblemError, unavailable
from shared.messages import Kind, Mode
from shared.reports import Report
from shared.responses import ExactResponse
from shared.transport import TransportUnavailableError


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


EXAMPLE = {
    "uploads": [
        {
            "id": "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
            "kind": "ad_group_stats",
            "mode": "upsert",
            "filename": "ad_group_stats.csv",
            "state": "staging",
            "rows_read": 13655,
            "rows_accepted": 13419,
            "rows_merged": 228,
            "rows_rejected": 8,
            "received_at": "2026-01-31T09:15:00.000001Z",
        },
    ],
}


FILE_EXAMPLES: dict[str, Example | Reference] = {
    "stats": Example(
        summary="Ad-group stats, one row a day, ad group and device.",
        value="date,ad_group_id,device,impressions,clicks,conversions,cost\n"
        "2025-12-31,428651733015,MOBILE,349,12,1.5,8.385595\n",
    ),
    "ad groups": Example(
        summary="Ad groups.",
        value="ad_group_id,ad_group_name,campaign_id\n402718365914,Trekking Tents,30517264981\n",
    ),
    "campaigns": Example(
        summary="Campaigns.",
        value="campaign_id,campaign_name,campaign_type\n30517264981,Tents and Sleeping,SEARCH_STANDARD\n",
    ),
}
REFUSED = {
    int(status): problem(status, f"{name}: {reason}", RefusedFiles, files=[{"filename": name, "reason": reason}])
    for status, name, reason in (
        (
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "logo.png",
            "The file is binary. Send CSV text in UTF-8; spreadsheets can export it.",
        ),
        (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "report.csv",
            "The header row has the columns: Day, Amount. campaigns needs campaign_id, campaign_name.",
        ),
    )
}
FORM_EXAMPLES: dict[str, Example | Reference] = {
    "sample": Example(summary="The project's sample file.", value={"file": ["data/ad_group_stats.csv"]}),
}


@dataclass
class _UploadOperation(Operation):
    """Documents the body, which the handler streams instead of declaring."""

    def __post_init__(self) -> None:
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        files = Schema(type=OpenAPIType.ARRAY, items=binary, description="One or more CSV files.")
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": files}, required=["file"])
        self.request_body = RequestBody(
            description="A form with one or more files, or a file itself; gzip and zstd are unpacked.",
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(form, examples=FORM_EXAMPLES),
                "text/csv": OpenAPIMediaType(binary, examples=FILE_EXAMPLES),
            },
        )


@post(
    "/uploads",
    status_code=HTTPStatus.ACCEPTED,
    request_max_body_size=None,
    dependencies=OPTIONS,
    tags=["Uploads"],
    summary="Send one or more CSV files",
    operation_class=_UploadOperation,
    responses=answer(HTTPStatus.ACCEPTED, AcceptedUploads, "Accepted: it will count entirely or not at all.", EXAMPLE)
    | errors(
        BAD_REQUEST="Send each file as a part named 'file' (found: data).",
        REQUEST_ENTITY_TOO_LARGE=str(TooLargeError(4 * 2**30)),
        SERVICE_UNAVAILABLE="The queue does not confirm. Nothing is lost: send the same request again.",
        INSUFFICIENT_STORAGE=FULL_DETAIL,
    )
    | REFUSED,
)
async def send_uploads(
    request: Request[Any, Any, Any],
    intake: NamedDependency[Intake],
    options: NamedDependency[Options],
    filename: Annotated[str | None, Parameter(description="The file's name, where the body is the file.")] = None,
    *,
    dry_run: Annotated[
        bool,
        Parameter(description="Read the files and say what would be taken, without taking anything."),
    ] = False,
) -> Response[AcceptedUploads | CheckedUploads]:
    """Take CSV files of campaigns, ad groups or ad-group stats, in a form or as the body itself.

    Every file is read before any is taken: one that cannot be read refuses the whole request, while rows that cannot
    be loaded are set aside and listed under `/uploads/{id}/rejections`. Sending a file again is safe: it is the
    latest word on its keys, and never counts twice.
    """
    with room(), intake.spool.folder() as folder:
        files = await receive(request, folder, intake.max_upload_bytes, filename)
        try:
            attempts = await intake.understand(files, options, folder)
            if dry_run:
                return ExactResponse(CheckedUploads([_checked(each) for each in attempts]), status_code=HTTPStatus.OK)
            states = await intake.publish(attempts)
        except RefusedError as error:
            raise _refused(error) from error
        except TransportUnavailableError as error:
            raise unavailable(f"{error} Nothing is lost: send the same request again.") from error
    accepted = [_accepted(attempt, state) for attempt, state in zip(attempts, states, strict=True)]
    return Response(AcceptedUploads(accepted), status_code=HTTPStatus.ACCEPTED)


def _checked(attempt: Attempt) -> CheckedUpload:
    manifest = attempt.manifest
    return CheckedUpload(
        id=manifest.upload_id,
        kind=manifest.kind,
        mode=manifest.mode,
        filename=manifest.filename,
        rows_read=manifest.rows_read,
        rows_accepted=manifest.rows_accepted,
        rows_merged=manifest.rows_merged,
        rows_rejected=manifest.rows_rejected,
        report=attempt.report,
    )


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
