"""The ingest API with the inline transport: an upload counts when it is answered, and there is no queue."""

from contextlib import AsyncExitStack

from litestar import Litestar

from functions.serving import serve
from functions.settings import database_url
from services.ingest.api.app import create_app
from services.ingest.api.settings import IngestSettings
from services.local import inline_transport
from shared.settings import ApplySettings


async def _create(stack: AsyncExitStack) -> Litestar:
    transport = await stack.enter_async_context(inline_transport(database_url(), ApplySettings().currency or None))
    return create_app(IngestSettings(), transport)


handler = serve(_create)
