"""Errors as clients see them: `application/problem+json` (RFC 9457) with a detail a person can act on."""

import logging
from collections.abc import Mapping
from enum import Enum, EnumType
from http import HTTPStatus
from typing import Any, get_args

from litestar import Request, Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    NotFoundException,
    SerializationException,
    ValidationException,
)
from litestar.types import ExceptionHandlersMap

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
UNEXPECTED = "An error of ours; the log of this service says more."


# The words of RFC 9110, which Python took up in 3.13.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def title(status: int) -> str:
    """Return a status in words."""
    return _TITLES.get(status, HTTPStatus(status).phrase)


class ProblemError(HTTPException):
    """An error with a status, a detail, and more members for the answer's body in `members`."""

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None, **members: object) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(detail=detail, status_code=status, headers=headers)
        self.members = members


def unavailable(detail: str) -> ProblemError:
    """Return the error for something we depend on being away for now."""
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_after=RETRY_AFTER_SECONDS)


def _answer(status: int, detail: str, headers: dict[str, str] | None = None, **members: object) -> Response[Any]:
    content = {"type": "about:blank", "title": title(status), "status": status, "detail": detail, **members}
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if isinstance(error, NotFoundException):
        return _answer(HTTPStatus.NOT_FOUND, f"Nothing is at {request.url.path}; /schema says what there is.")
    members = error.members if isinstance(error, ProblemError) else {}
    return _answer(error.status_code, error.detail, error.headers, **members)


def _on_client_error(request: Request[Any, Any, Any], error: ClientException) -> Response[Any]:
    if isinstance(error.__cause__, SerializationException):
        return _answer(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error.detail}")
    return _on_http_error(request, error)


def _on_validation_error(request: Request[Any, Any, Any], error: ValidationException) -> Response[Any]:
    extra = error.extra if isinstance(error.extra, list) else []
    problems = [f"{_name(problem)}: {_advice(request, problem)}" for problem in extra]
    return _answer(HTTPStatus.BAD_REQUEST, " ".join(problems) or error.detail)


def _name(problem: Mapping[str, Any]) -> str:
    key = str(problem.get("key", "body"))
    return "body" if key == "data" else key


def _advice(request: Request[Any, Any, Any], problem: Mapping[str, Any]) -> str:
    """Return what is wrong with a parameter, and what would be right."""
    message = str(problem["message"])
    if message == "'data'":
        return "Missing."
    if "RFC3339 encoded date" in message:
        return "Not a date like 2024-01-31."
    choices = _choices(request, str(problem.get("key")))
    return f"{message}. Use one of: {', '.join(choices)}." if choices else f"{message}."


def _choices(request: Request[Any, Any, Any], name: str) -> list[str]:
    """Return the values that a parameter of the handler, or of what it depends on, may have."""
    handler = request.route_handler
    dependencies = [provider.parsed_fn_signature for provider in handler.resolve_dependencies().values()]
    for signature in (handler.parsed_fn_signature, *dependencies):
        field = signature.parameters.get(name)
        for kind in (field.annotation, *get_args(field.annotation)) if field else ():
            if isinstance(kind, EnumType):
                members: Mapping[str, Enum] = kind.__members__
                return [str(choice.value) for choice in members.values()]
    return []


def log_and_answer(
    request: Request[Any, Any, Any],
    error: Exception,
    public: ProblemError | None = None,
) -> Response[Any]:
    """Log what happened and answer with `public`, or else with a 500 that gives nothing away."""
    if public is None:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    else:
        logger.warning("%s %s answered with %s: %s", request.method, request.url.path, public.status_code, error)
    return _on_http_error(request, public or ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED))


def exception_handlers() -> ExceptionHandlersMap:
    """Return the handlers that every app of ours uses."""
    return {
        ValidationException: _on_validation_error,
        ClientException: _on_client_error,
        HTTPException: _on_http_error,
        Exception: log_and_answer,
    }
