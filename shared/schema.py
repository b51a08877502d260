"""The API's documentation: one document for both services, wherever it is asked for.

`openapi.json` is written by `adledger schema` from both applications; a test holds it against them.
"""

from pathlib import Path

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

DOCUMENT = Path(__file__).with_name("openapi.json")
PAGE = Path(__file__).with_name("openapi.html")


def schema_routes() -> list[HTTPRouteHandler]:
    """Return `/` (to the documentation), `/schema` (a page) and `/schema/openapi.json` (the document)."""
    document = DOCUMENT.read_bytes()
    page = PAGE.read_bytes()

    @get("/", include_in_schema=False)
    async def home() -> Redirect:
        """Send a visitor to the documentation."""
        return Redirect("/schema")

    @get("/schema", include_in_schema=False)
    async def show() -> Response[bytes]:
        """Return the documentation as a page that needs nothing from elsewhere."""
        return Response(page, media_type="text/html; charset=utf-8")

    @get("/schema/openapi.json", include_in_schema=False)
    async def download() -> Response[bytes]:
        """Return the documentation as an OpenAPI document."""
        return Response(document, media_type="application/vnd.oai.openapi+json")

    return [home, show, download]
