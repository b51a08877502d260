"""How answers and errors are shown in the API's documentation, each with an example."""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from shared.errors import MEDIA_TYPE


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457): `detail` says what to do about it."""

    type: str
    title: str
    status: int
    detail: str


def answer(status: int, container: type[Any] | None, description: str, example: object) -> dict[int, ResponseSpec]:
    """Return the documentation of an answer."""
    spec = ResponseSpec(
        data_container=container,
        generate_examples=False,
        description=description,
        examples=[Example(summary=description, value=example)],
    )
    return {int(status): spec}


def errors(**details: str) -> dict[int, ResponseSpec]:
    """Return the documentation of errors: `errors(NOT_FOUND="No such thing.")`, the detail being the example."""
    return {int(HTTPStatus[name]): _problem(HTTPStatus[name], detail) for name, detail in details.items()}


def _problem(status: HTTPStatus, detail: str) -> ResponseSpec:
    example = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return ResponseSpec(
        data_container=Problem,
        generate_examples=False,
        description=status.phrase,
        media_type=MEDIA_TYPE,
        examples=[Example(summary=detail, value=example)],
    )
