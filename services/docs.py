"""The API's documentation, made from the routes of both services and kept in `shared/` for each to serve."""

import json
from importlib.metadata import version

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from services.ingest.api import app as ingest
from services.query import app as query
from shared.health import health_routes
from shared.schema import DOCUMENT

DESCRIPTION = """
Ad-performance CSV uploads in, the right numbers out.

An upload is visible entirely or not at all, counts once however often it is sent, and each of its rows that
was not loaded comes back with its line, column, value and reason. Money is in currency units, ratios are
fractions, percentages are 12.5 for 12.5 %. Errors are `application/problem+json` with a detail to act on.
""".strip()


def openapi_document() -> str:
    """Return the OpenAPI document of both services, as JSON."""
    app = Litestar(
        [*query.ROUTES, *ingest.ROUTES, *health_routes({})],
        dependencies={name: Provide(lambda: None, sync_to_thread=False) for name in ("reader", "intake")},
        openapi_config=OpenAPIConfig(title="adledger", version=version("adledger"), description=DESCRIPTION),
    )
    return json.dumps(app.openapi_schema.to_schema(), indent=1, ensure_ascii=False) + "\n"


def write_documents() -> None:
    """Write the document to where both services serve it from."""
    DOCUMENT.write_text(openapi_document(), encoding="utf-8")
