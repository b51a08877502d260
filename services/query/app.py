"""The query service's application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.enums import MediaType
from litestar.types import Serializer
from sqlalchemy.exc import SQLAlchemyError
from typing_extensions import override

from services.query.campaigns import list_campaigns
from services.query.performance import compare_performance, performance_time_series
from services.query.reader import Reader
from services.query.settings import QuerySettings
from services.query.uploads import list_rejections, list_uploads, show_upload
from shared.database import close, create_reader, is_connection_lost
from shared.errors import MEDIA_TYPE, exception_handlers, log_and_answer, unavailable
from shared.health import Check, health_routes
from shared.schema import schema_routes

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class ExactResponse(Response[Any]):
    """A response whose decimals are JSON numbers with all their digits."""

    @override
    def render(self, content: Any, media_type: str, enc_hook: Serializer = lambda value: value) -> bytes:
        if media_type in {MediaType.JSON, MEDIA_TYPE}:
            return _ENCODER.encode(content)
        return super().render(content, media_type, enc_hook)


ROUTES = (list_campaigns, performance_time_series, compare_performance, list_uploads, show_upload, list_rejections)


def create_app(settings: QuerySettings, checks: Mapping[str, Check] | None = None) -> Litestar:
    """Return the query service over the database that its settings name.

    `checks` are what must be ready besides the database, for a process that is more than this service.
    """
    engine = create_reader(settings.database_url.get_secret_value())
    reader = Reader(engine)

    @asynccontextmanager
    async def tidy(_: Litestar) -> AsyncIterator[None]:
        yield
        await close(engine)

    return Litestar(
        [
            *ROUTES,
            *health_routes({"database": reader.is_ready, **(checks or {})}),
            *schema_routes(),
        ],
        dependencies={"reader": Provide(lambda: reader, sync_to_thread=False)},
        exception_handlers={
            **exception_handlers(),
            SQLAlchemyError: _on_database_error,
            OSError: _on_database_error,
        },
        response_class=ExactResponse,
        lifespan=[tidy],
        logging_config=None,
        openapi_config=None,
    )


def _on_database_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if is_connection_lost(error):
        return log_and_answer(request, error, unavailable("The database does not answer. Try again."))
    return log_and_answer(request, error)
