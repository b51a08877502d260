"""`POST /uploads`: files in, upload ids out."""

from http import HTTPStatus
from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import Parameter

from services.ingest.api.intake import Intake, Options, RefusedError
from services.ingest.api.receiving import receive
from services.ingest.api.room import room
from services.ingest.api.upload_answers import AcceptedUploads, CheckedUploads, accepted, checked
from services.ingest.api.upload_docs import RESPONSES, UploadOperation
from services.ingest.api.upload_options import OPTIONS
from shared.errors import ProblemError, unavailable
from shared.responses import ExactResponse
from shared.transport import TransportUnavailableError


@post(
    "/uploads",
    status_code=HTTPStatus.ACCEPTED,
    request_max_body_size=None,
    dependencies=OPTIONS,
    tags=["Uploads"],
    summary="Send one or more CSV files",
    operation_class=UploadOperation,
    responses=RESPONSES,
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
                return ExactResponse(CheckedUploads([checked(each) for each in attempts]), status_code=HTTPStatus.OK)
            states = await intake.publish(attempts)
        except RefusedError as error:
            raise _refused(error) from error
        except TransportUnavailableError as error:
            raise unavailable(f"{error} Nothing is lost: send the same request again.") from error
    sent = [accepted(attempt, state) for attempt, state in zip(attempts, states, strict=True)]
    return Response(AcceptedUploads(sent), status_code=HTTPStatus.ACCEPTED)


def _refused(error: RefusedError) -> ProblemError:
    is_text = any(refusal.is_text for refusal in error.refusals)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_text else HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    files = [{"filename": refusal.filename, "reason": refusal.reason} for refusal in error.refusals]
    return ProblemError(status, str(error), files=files)
