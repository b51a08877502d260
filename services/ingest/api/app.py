"""The ingest API's application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide

from services.ingest.api.campaigns import rename_campaign
from services.ingest.api.intake import Clock, Intake
from services.ingest.api.reading.parsing import Parser
from services.ingest.api.reverts import revert_upload
from services.ingest.api.settings import IngestSettings
from services.ingest.api.spool import Spool
from services.ingest.api.uploads import send_uploads
from shared.errors import exception_handlers
from shared.health import health_routes
from shared.transport import Transport

ROUTES = (send_uploads, revert_upload, rename_campaign)


def create_app(settings: IngestSettings, transport: Transport, clock: Clock | None = None) -> Litestar:
    """Return the ingest API over a transport, which the caller opens and closes."""
    spool = Spool(settings.data_dir / "spool")
    spill = settings.data_dir / "spool" / "spill"
    parser = Parser(spill, settings.parse_memory)
    intake = Intake(spool, parser, transport, settings.max_upload_bytes, clock or Clock(), settings.sender_header)

    @asynccontextmanager
    async def tidy(_: Litestar) -> AsyncIterator[None]:
        yield
        parser.close()
        spool.close()

    return Litestar(
        [*ROUTES, *health_routes({"transport": transport.is_ready})],
        dependencies={"intake": Provide(lambda: intake, sync_to_thread=False)},
        exception_handlers=exception_handlers(),
        lifespan=[tidy],
        logging_config=None,
        openapi_config=None,
    )
