"""The query service."""

from contextlib import AsyncExitStack

from litestar import Litestar
from pydantic import SecretStr

from functions.serving import serve
from functions.settings import database_url
from services.query.app import create_app
from services.query.settings import QuerySettings


async def _create(_: AsyncExitStack) -> Litestar:
    return create_app(QuerySettings(database_url=SecretStr(database_url())))


handler = serve(_create)
