"""A request to an application in the same process, with a body that is read as it is wanted."""

import asyncio
from typing import Any, Protocol

from litestar import Litestar
from litestar.types import HTTPReceiveMessage, Message

CHUNK = 1 << 18


class Readable(Protocol):
    """A body to read in pieces."""

    def read(self, amount: int) -> bytes:
        """Return at most so many bytes, and none at the end."""


async def post(app: Litestar, path: str, query: str, body: Readable, size: int) -> tuple[int, bytes]:
    """Send a body to a path of an application, and return the answer's status and body."""
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"content-type", b"text/csv"), (b"content-length", str(size).encode())],
        "client": None,
        "server": None,
    }
    answered: list[Any] = []

    async def receive() -> HTTPReceiveMessage:
        piece = await asyncio.to_thread(body.read, CHUNK)
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    status: int = answered[0]["status"]
    return status, b"".join(message.get("body", b"") for message in answered[1:])
