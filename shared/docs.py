"""How answers and errors are shown in the API's documentation, each with an example."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIHeader, Schema
from litestar.openapi.spec.enums import OpenAPIType
from msgspec import Meta

from shared.errors import MEDIA_TYPE, RETRY_AFTER_SECONDS, title

UploadId = Annotated[UUID, Meta(description="The same for the same content, kind, mode and Idempotency-Key.")]
Filename = Annotated[str, Meta(description="The name it was sent under.")]
RowsRead = Annotated[int, Meta(description="Rows in the file, the header apart: the sum of the next three.")]
RowsAccepted = Annotated[int, Meta(description="Rows that count, one a key.")]
RowsMerged = Annotated[int, Meta(description="Rows folded into an accepted one of the same key.")]
RowsRejected = Annotated[int, Meta(description="Rows not loaded; `/uploads/{id}/rejections` has them.")]
ReceivedAt = Annotated[datetime, Meta(description="When its last byte came in.")]


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457): `detail` says what to do about it."""

    type: Annotated[str, Meta(description="Always `about:blank`: the status says what kind of error it is.")]
    title: Annotated[str, Meta(description="The status in words.")]
    status: Annotated[int, Meta(description="The status of the answer.")]
    detail: Annotated[str, Meta(description="What is wrong, and what would be right.")]


@dataclass
class Answer(ResponseSpec):
    """An answer with what litestar leaves out: its headers, and the other media types it can be asked for in."""

    headers: Mapping[str, OpenAPIHeader] = field(default_factory=dict)
    also: Mapping[str, Example] = field(default_factory=dict)


RETRY_AFTER = {
    "Retry-After": OpenAPIHeader(
        description="After how many seconds to try again.",
        required=True,
        schema=Schema(type=OpenAPIType.INTEGER),
        example=RETRY_AFTER_SECONDS,
    ),
}

LOCATION = {
    "Location": OpenAPIHeader(
        description="Where to look for what becomes of it.",
        required=True,
        schema=Schema(type=OpenAPIType.STRING),
        example="/uploads/0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
    ),
}


def example(summary: str, value: object) -> Example:
    """Return an example that is shown as it stands, nulls included (litestar drops those it can see)."""
    return Example(summary=summary, value=msgspec.Raw(msgspec.json.encode(value)))


def answer(status: int, container: type[Any] | None, description: str, value: object) -> dict[int, Answer]:
    """Return the documentation of an answer, `value` being the example; without a container it says where to look."""
    spec = Answer(
        data_container=container,
        generate_examples=False,
        description=description,
        examples=[example(description, value)],
        headers={} if container else LOCATION,
    )
    return {int(status): spec}


def errors(**details: str) -> dict[int, Answer]:
    """Return the documentation of errors: `errors(NOT_FOUND="No such thing.")`, the detail being the example.

    A 503 says when to try again, as `shared.errors.unavailable` does.
    """
    headers = {HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER}
    statuses = {HTTPStatus[name]: detail for name, detail in details.items()}
    return {int(status): problem(status, detail, headers=headers.get(status)) for status, detail in statuses.items()}


def problem(
    status: HTTPStatus,
    detail: str,
    container: type[Problem] = Problem,
    headers: Mapping[str, OpenAPIHeader] | None = None,
    **members: object,
) -> Answer:
    """Return the documentation of an error whose body has `members` besides those that all errors have."""
    value = {"type": "about:blank", "title": title(status), "status": int(status), "detail": detail, **members}
    return Answer(
        data_container=container,
        generate_examples=False,
        description=title(status),
        media_type=MEDIA_TYPE,
        examples=[example(detail, value)],
        headers=headers or {},
    )
