"""The API's documentation: one document for both services, wherever it is asked for.

`openapi.json` is written by `adledger schema` from both applications; a test holds it against them.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.response import Redirect

from shared.schema_page import STYLE, render

DOCUMENT = Path(__file__).with_name("openapi.json")
HTML = "text/html"
MEDIA_TYPE = "application/vnd.oai.openapi+json"

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}


def schema_routes() -> list[HTTPRouteHandler]:
    """Return `/` (to the documentation), `/schema` (a page) and `/schema/openapi.json` (the document)."""
    document = DOCUMENT.read_bytes()
    page = render(msgspec.json.decode(document)).encode()

    @get("/", include_in_schema=False)
    async def home() -> Redirect:
        """Send a visitor to the documentation."""
        return Redirect("/schema")

    @get("/schema", include_in_schema=False)
    async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Return the documentation as a page that needs nothing from elsewhere, or as JSON for who prefers that."""
        wanted = request.accept.best_match([HTML, "application/json", MEDIA_TYPE], default=HTML)
        if wanted == HTML:
            return Response(page, media_type=HTML, headers=_HEADERS)
        return Response(document, media_type=wanted, headers=_HEADERS)

    @get("/schema/openapi.json", include_in_schema=False)
    async def download() -> Response[bytes]:
        """Return the documentation as an OpenAPI document."""
        return Response(document, media_type=MEDIA_TYPE)

    return [home, show, download]
