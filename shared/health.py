"""Whether a process lives, and whether it can do its job."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

CHECK_SECONDS = 2.0
METRICS_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
"""Without what Litestar adds to text by itself: Prometheus refuses a type that says it twice."""

Check = Callable[[], Awaitable[bool]]


def health_routes(checks: Mapping[str, Check]) -> list[HTTPRouteHandler]:
    """Return `/health/live`, `/health/ready` (503 unless every named check says yes) and `/metrics`."""

    @get("/health/live", tags=["Operations"], summary="Is the process alive?")
    async def live() -> dict[str, str]:
        """Answer, which is all that an orchestrator needs to know before it restarts a process."""
        return {"status": "alive"}

    @get("/health/ready", tags=["Operations"], summary="Can the process do its job?")
    async def ready() -> Response[dict[str, Any]]:
        """Ask everything the process depends on."""
        outcomes = dict(zip(checks, await asyncio.gather(*map(_passes, checks.values())), strict=True))
        ok = all(outcomes.values())
        status = HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE
        named = {name: "ok" if outcome else "away" for name, outcome in outcomes.items()}
        return Response({"status": "ready" if ok else "not ready", **named}, status_code=status)

    @get("/metrics", tags=["Operations"], summary="Prometheus metrics", media_type=METRICS_TYPE)
    async def metrics() -> bytes:
        """Return the process's counters."""
        return generate_latest(REGISTRY)

    return [live, ready, metrics]


async def _passes(check: Check) -> bool:
    # Whatever goes wrong while asking means the same: not ready.
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CHECK_SECONDS):
            return await check()
    return False
