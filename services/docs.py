"""The API's documentation, made from the routes of both services and kept in `shared/` for each to serve."""

from decimal import Decimal
from http import HTTPStatus
from importlib.metadata import version
from inspect import getdoc
from typing import Any

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import OpenAPIMediaType, Operation, Schema, Tag
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.routes import HTTPRoute
from litestar.typing import FieldDefinition
from prometheus_client import CONTENT_TYPE_LATEST
from typing_extensions import override

from services.ingest.api import app as ingest
from services.query import app as query
from shared.docs import Answer, answer, example
from shared.health import health_routes
from shared.schema import DOCUMENT

DESCRIPTION = """
Ad-performance CSV uploads in, the right numbers out.

An upload is visible entirely or not at all, counts once however often it is sent, and each of its rows that was not
loaded comes back with its line, column, value and reason. Sending a corrected file again replaces the old numbers.

Money is in currency units, ratios are fractions (0.05), percentages are 12.5 for 12.5 %; all are JSON numbers, exact
to six decimals. Dates are `YYYY-MM-DD`, periods include both ends. Errors are `application/problem+json` with a
`detail` to act on; what passes by itself also says, in `Retry-After`, when to try again.
""".strip()

TAGS = (
    Tag("Uploads", "CSV files in, and what became of them."),
    Tag("Campaigns", "What there is, what it costs, and what it is called."),
    Tag("Performance", "What happened when."),
    Tag("Operations", "For whoever runs the services; each process answers for itself."),
)

METRICS = """\
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 1.29982464e+08
"""

_READY = {"status": "ready", "database": "ok", "transport": "ok"}
_NOT_READY = _READY | {"status": "not ready", "database": "away"}

HEALTH: dict[str, dict[int, Answer]] = {
    "/health/live": answer(HTTPStatus.OK, dict[str, str], "It is.", {"status": "alive"}),
    "/health/ready": answer(HTTPStatus.OK, dict[str, str], "It can; each of its checks is named.", _READY)
    | answer(HTTPStatus.SERVICE_UNAVAILABLE, dict[str, str], "It cannot; what it lacks is `away`.", _NOT_READY),
    "/metrics": {
        int(HTTPStatus.OK): Answer(
            data_container=str,
            generate_examples=False,
            description="The counters, in Prometheus's text format.",
            media_type=CONTENT_TYPE_LATEST,
            examples=[example("An excerpt.", METRICS)],
        ),
    },
}


class _Decimals(OpenAPISchemaPlugin):
    """Shows decimals as the JSON numbers they are sent as."""

    @override
    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return field_definition.annotation is Decimal

    @override
    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        return Schema(type=OpenAPIType.NUMBER)


class _Structs(OpenAPISchemaPlugin):
    """Shows structs as litestar does, with their docstrings."""

    @override
    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of(msgspec.Struct)

    @override
    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        others = (plugin for plugin in schema_creator.plugins if plugin is not self)
        plugin = next(each for each in others if each.is_plugin_supported_field(field_definition))
        schema: Schema = plugin.to_openapi_schema(field_definition, schema_creator)
        schema.description = getdoc(field_definition.annotation)
        return schema


def openapi_document() -> str:
    """Return the OpenAPI document of both services, as JSON."""
    app = Litestar(
        [*query.ROUTES, *ingest.ROUTES, *_health_routes()],
        dependencies={name: Provide(lambda: None, sync_to_thread=False) for name in ("reader", "facts", "intake")},
        plugins=[_Decimals(), _Structs()],
        openapi_config=OpenAPIConfig(
            title="adledger",
            version=version("adledger"),
            description=DESCRIPTION,
            tags=list(TAGS),
            use_handler_docstrings=True,
            operation_id_creator=lambda handler, *_: handler.handler_name,
        ),
    )
    paths = app.openapi_schema.paths or {}
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                operation = getattr(paths.get(route.path_format), method.lower(), None)
                if operation is not None:
                    _complete(operation, handler)
    document = msgspec.json.encode(_whole(app.openapi_schema.to_schema()))
    return msgspec.json.format(document, indent=1).decode() + "\n"


def write_documents() -> None:
    """Write the document to where both services serve it from."""
    DOCUMENT.write_text(openapi_document(), encoding="utf-8")


def _health_routes() -> list[HTTPRouteHandler]:
    routes = health_routes({})
    for route in routes:
        (path,) = route.paths
        route.responses = HEALTH[path]
    return routes


def _complete(operation: Operation, handler: HTTPRouteHandler) -> None:
    """Leave the answers that the handler documents, in order, each with its headers and other media types."""
    answers = handler.responses or {}
    responses: dict[str, Any] = {str(status): (operation.responses or {})[str(status)] for status in sorted(answers)}
    for status, spec in answers.items():
        if isinstance(spec, Answer):
            response = responses[str(status)]
            response.headers = dict(spec.headers) or None
            for media_type, shown in spec.also.items():
                schema = Schema(type=OpenAPIType.STRING)
                response.content[media_type] = OpenAPIMediaType(schema=schema, examples={"example": shown})
    operation.responses = responses


def _whole(value: object) -> object:
    """Return JSON in which whole numbers have no point: litestar makes floats of all limits."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
