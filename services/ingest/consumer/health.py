"""The consumer's own small HTTP address: health and metrics."""

from collections.abc import Mapping

from litestar import Litestar

from shared.errors import exception_handlers
from shared.health import Check, health_routes


def create_app(checks: Mapping[str, Check]) -> Litestar:
    """Return the application that tells how the consumer is."""
    return Litestar(
        [*health_routes(checks)],
        exception_handlers=exception_handlers(),
        logging_config=None,
        openapi_config=None,
    )
