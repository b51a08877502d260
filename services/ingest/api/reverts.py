"""`DELETE /uploads/{upload_id}`: take an upload back, with all its sendings so far."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from litestar import Response, delete
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Parameter
from msgspec import Meta

from services.ingest.api.asking import ask, look_later
from services.ingest.api.intake import Intake
from shared.docs import UploadId, answer, errors
from shared.errors import ProblemError
from shared.messages import Outcome, Revert, Reverted

UNKNOWN = "No upload {id} is known. If it was accepted just now, ask again in a moment."
COMPACTED = "Upload {id} was compacted with older ones and can no longer be taken back."
IMPOSSIBLE = "Upload {id} still counts: it was sent again since, or sums without it would be too large to store."
EXAMPLE_ID = "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11"


class RevertedUpload(msgspec.Struct, frozen=True):
    """An upload that no longer counts."""

    id: UploadId
    state: Annotated[str, Meta(description="Always `reverted`.")]


@delete(
    "/uploads/{upload_id:uuid}",
    status_code=HTTPStatus.OK,
    tags=["Uploads"],
    summary="Take an upload back",
    responses=answer(
        HTTPStatus.OK,
        RevertedUpload,
        "Taken back: the numbers are what they would be without it.",
        {"id": EXAMPLE_ID, "state": "reverted"},
    )
    | answer(HTTPStatus.ACCEPTED, None, "Taking longer than 10 s; Location says where to look.", None)
    | errors(
        NOT_FOUND=UNKNOWN.format(id=EXAMPLE_ID),
        CONFLICT=COMPACTED.format(id=EXAMPLE_ID),
        SERVICE_UNAVAILABLE="The queue does not answer. Send the same request again.",
    ),
)
async def revert_upload(
    upload_id: Annotated[
        UUID,
        Parameter(description="The id that `POST /uploads` answered with.", examples=[Example(value=EXAMPLE_ID)]),
    ],
    intake: NamedDependency[Intake],
) -> Response[Any]:
    """Take back every sending of a file so far.

    Sent again later, it counts again, unless that is a repeat under an Idempotency-Key: such a repeat is a no-op.
    """
    command = Revert(revert_id=uuid4(), upload_id=upload_id, requested_at=intake.clock.now())
    reverted = await ask(intake.transport, command)
    if reverted is None:
        return look_later(upload_id)
    if not isinstance(reverted, Reverted) or reverted.outcome is Outcome.UNKNOWN:
        raise ProblemError(HTTPStatus.NOT_FOUND, UNKNOWN.format(id=upload_id))
    if reverted.outcome is Outcome.COMPACTED:
        raise ProblemError(HTTPStatus.CONFLICT, COMPACTED.format(id=upload_id))
    if reverted.outcome is Outcome.IMPOSSIBLE:
        raise ProblemError(HTTPStatus.CONFLICT, IMPOSSIBLE.format(id=upload_id))
    return Response(RevertedUpload(upload_id, "reverted"))
