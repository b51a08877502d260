"""Commands over HTTP: asked, and waited for as long as a client would."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from litestar import Response

from shared.errors import unavailable
from shared.messages import Answer, Command
from shared.transport import Transport, TransportUnavailableError

ANSWER_SECONDS = 10.0


async def ask(transport: Transport, command: Command) -> Answer | None:
    """Return the consumer's answer, or None when it takes too long; raises a 503 when nobody can be asked."""
    try:
        return await transport.ask(command, ANSWER_SECONDS)
    except TransportUnavailableError as error:
        raise unavailable(f"{error} Send the same request again.") from error


def look_later(upload_id: UUID) -> Response[Any]:
    """Return the answer that says where the outcome can be seen."""
    return Response(None, status_code=HTTPStatus.ACCEPTED, headers={"Location": f"/uploads/{upload_id}"})
