"""The parameters and headers of `POST /uploads`: what a request says about its files."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import HeaderParameter, Parameter

from services.ingest.api.intake import Intake, Options
from services.ingest.api.reading.options import DateOrder, OptionError, ReadingOptions
from shared.errors import ProblemError
from shared.messages import Kind, Mode

SENDER_LIMIT = 200
"""How much of a sender's name is kept."""


def read_reading(
    kind: Annotated[
        Kind | None,
        Parameter(description="What the files hold; when left out, their header rows tell it."),
    ] = None,
    encoding: Annotated[
        str | None,
        Parameter(description="How the files are encoded, where they are neither UTF-8 nor marked: `windows-1252`, …"),
    ] = None,
    locale: Annotated[
        str | None,
        Parameter(
            description="How numbers are written: `point` (1,234.56), `comma` (1.234,56), or a language such as "
            "`pt-BR`; when left out, the numbers tell it.",
        ),
    ] = None,
    date_order: Annotated[
        DateOrder | None,
        Parameter(description="The order of day, month and year in dates; when left out, the dates tell it."),
    ] = None,
) -> ReadingOptions:
    """Return how a request's files are to be read; raises `ProblemError` for an option that says nothing."""
    try:
        return ReadingOptions(kind, encoding, locale, date_order)
    except OptionError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error


def read_sender(request: Request[Any, Any, Any], intake: NamedDependency[Intake]) -> str | None:
    """Return who sent a request: as the gateway says, or its address."""
    named = request.headers.get(intake.sender_header, "").strip() if intake.sender_header else ""
    return named[:SENDER_LIMIT] or (request.client.host if request.client else None)


def read_options(
    reading: NamedDependency[ReadingOptions],
    sender: NamedDependency[str | None],
    mode: Annotated[
        Mode,
        Parameter(
            description="Whether a row replaces the value of its key (date, ad group and device), or adds to it; "
            "`add` is for stats only.",
        ),
    ] = Mode.UPSERT,
    fixes: Annotated[
        UUID | None,
        Parameter(description="The upload whose rejected rows these files mend; they become part of it."),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        HeaderParameter(name="Idempotency-Key", description="Makes a repeat of the same request a no-op."),
    ] = None,
) -> Options:
    """Return what a request says about its files."""
    return Options(reading, mode, idempotency_key, fixes, sender)


OPTIONS = {
    "reading": Provide(read_reading, sync_to_thread=False),
    "sender": Provide(read_sender, sync_to_thread=False),
    "options": Provide(read_options, sync_to_thread=False),
}
