"""One address for both services: safe methods go to query, all others to ingest (RFC 9110, section 9.2.1).

Every deployment routes by the same rule; this does it within one process.
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def route_by_method(ingest: ASGIApp, query: ASGIApp) -> ASGIApp:
    """Return the application made of both services' applications."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] != ScopeType.HTTP or scope["method"] in SAFE_METHODS
        await (query if is_read else ingest)(scope, receive, send)

    return gateway
