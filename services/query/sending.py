"""Sending answers, or only that they are still as the client knows them (RFC 9110, section 13.1.2)."""

from http import HTTPStatus
from typing import Any

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from services.query.answers import Headers, Sent, tagged

NOT_MODIFIED_HEADERS = frozenset({b"etag", b"cache-control", b"vary"})


async def send_unless_known(sent: Sent, scope: Scope, send: Send) -> None:
    """Send an answer, or a 304 when the request names its tag."""
    known = header(scope, b"if-none-match")
    if known == b"*" or sent.tag in known:
        headers = [each for each in sent.headers if each[0] in NOT_MODIFIED_HEADERS]
        await send_whole(HTTPStatus.NOT_MODIFIED, headers, b"", send)
    else:
        await send_whole(HTTPStatus.OK, sent.headers, sent.body, send)


async def send_whole(status: int, headers: Headers, body: bytes, send: Send) -> None:
    """Send an answer at once."""
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def header(scope: Scope, name: bytes) -> bytes:
    """Return a header of a request; empty when there is none."""
    for each, value in scope["headers"]:
        if each == name:
            return value
    return b""


def tag_by_body(app: ASGIApp, prefix: str) -> ASGIApp:
    """Return the application with a tag made of the body on each successful answer to a GET below `prefix`.

    A stream is sent on as it comes, without a tag.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        start: list[Message] = []

        async def tag(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            if message["type"] != "http.response.body" or not start:
                await send(message)
                return
            first: Any = start.pop()
            if first["status"] == HTTPStatus.OK and not message.get("more_body"):
                await send_unless_known(tagged(first["headers"], message["body"]), scope, send)
            else:
                await send(first)
                await send(message)

        is_tagged = scope["type"] == ScopeType.HTTP and scope["method"] == HttpMethod.GET
        await app(scope, receive, tag if is_tagged and scope["path"].startswith(prefix) else send)

    return answer
