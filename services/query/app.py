"""The query service's application."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.types import Receive, Scope, Send
from sqlalchemy.exc import SQLAlchemyError

from services.query.cache import Cache
from services.query.campaigns import list_campaigns
from services.query.facts import DATABASE_ERRORS, Database, Facts
from services.query.front import Front
from services.query.performance import compare_performance, performance_time_series
from services.query.reader import Reader
from services.query.rejections import list_rejections
from services.query.sending import tag_by_body
from services.query.settings import QuerySettings
from services.query.uploads import list_uploads, show_upload
from shared.database import close, create_reader, is_connection_lost, sqlstate
from shared.errors import exception_handlers, log_and_answer, unavailable
from shared.health import Check, health_routes
from shared.responses import ExactResponse
from shared.schema import schema_routes

VERSIONED = ("/campaigns", "/performance-time-series", "/compare-performance")
"""Where answers change only with the dataset's version."""

UNVERSIONED = "/uploads"
"""Where the paths begin whose answers change without a version."""

PASSING = ("40", "53", "57")
"""SQLSTATE classes of what passes: a conflict with what a standby replays, too little room, a cancelled statement."""

ROUTES = (list_campaigns, performance_time_series, compare_performance, list_uploads, show_upload, list_rejections)


def create_app(settings: QuerySettings, checks: Mapping[str, Check] | None = None) -> Litestar:
    """Return the query service over the database that its settings name.

    `checks` are what must be ready besides the database, for a process that is more than this service.
    """
    url = settings.database_url.get_secret_value()
    engine = create_reader(url)
    reader = Reader(engine)
    database = Database(url)

    @asynccontextmanager
    async def tidy(_: Litestar) -> AsyncIterator[None]:
        yield
        await close(engine)
        database.close()

    app = Litestar(
        [
            *ROUTES,
            *health_routes({"database": reader.is_ready, **(checks or {})}),
            *schema_routes(),
        ],
        dependencies={
            "reader": Provide(lambda: reader, sync_to_thread=False),
            "facts": Provide(_facts_from(database), sync_to_thread=False),
        },
        exception_handlers={
            **exception_handlers(),
            **dict.fromkeys((SQLAlchemyError, *DATABASE_ERRORS), _on_database_error),
        },
        response_class=ExactResponse,
        lifespan=[tidy],
        logging_config=None,
        openapi_config=None,
    )
    tagging = tag_by_body(app.asgi_handler, UNVERSIONED)
    app.asgi_handler = Front(tagging, database, Cache(settings.cache_bytes), VERSIONED, _refuse)
    return app


def _facts_from(database: Database) -> Callable[[Scope], Facts]:
    def provide(scope: Scope) -> Facts:
        return Facts(database, scope["state"])

    return provide


async def _refuse(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answer a request with what an error of the database means."""
    request: Request[Any, Any, Any] = Request(scope)
    answer = _on_database_error(request, error).to_asgi_response(None, request)
    await answer(scope, receive, send)


def _on_database_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    if is_connection_lost(error):
        return log_and_answer(request, error, unavailable("The database does not answer. Try again."))
    if sqlstate(error).startswith(PASSING):
        return log_and_answer(request, error, unavailable("The database cannot answer now. Try again."))
    return log_and_answer(request, error)
