"""What stands before the query service's routes: answers from memory where the data have not changed since.

An answer is taken from memory only if the version it tells of was read from the database *after* the request came
in. So whoever was told of a change sees it, through whichever process. One read serves all requests that wait.

Where the data have changed, only what the answer is made of is read again: most uploads change little, and what is
made of the same, an answer or a part of it, need not be made again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPReceiveMessage, Message, Receive, Scope, Send

from services.query.answers import WORTH_PACKING, Kept, accepts_gzip, kept, packed, question_of, renewed
from services.query.cache import Cache
from services.query.columns import Read
from services.query.dataset import Clock, Version
from services.query.facts import DATABASE_ERRORS, SEEN
from services.query.parts import remade
from services.query.sending import header, send_unless_known, send_whole

logger = logging.getLogger(__name__)

OnError = Callable[[Scope, Receive, Send, Exception], Awaitable[None]]


class Data(Protocol):
    """What tells the version of the data, and reads once more what an answer is made of."""

    async def version(self) -> Version:
        """Return the version as it is now."""

    async def read(self, statement: str, *values: object) -> Read:
        """Return what a statement gives now."""


@dataclass
class Captured:
    """What an application sends in answer to a request."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def send(self, message: Message) -> None:
        """Take a message of an answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message["body"]


class Front:
    """The application with a cache before it, for questions at `paths`; `on_error` answers where there are no data."""

    def __init__(self, app: ASGIApp, data: Data, cache: Cache, paths: Collection[str], on_error: OnError) -> None:
        self._app = app
        self._clock = Clock(data.version)
        self._read = data.read
        self._cache = cache
        self._paths = frozenset(paths)
        self._on_error = on_error
        self._asking: dict[tuple[bytes, Version | None], asyncio.Task[Kept | Captured]] = {}
        self._packing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != HttpMethod.GET or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        try:
            answer, is_remembered = await self._answer(scope)
        except DATABASE_ERRORS as error:
            await self._on_error(scope, receive, send, error)
            return
        if isinstance(answer, Captured):
            await send_whole(answer.status, answer.headers, answer.body, send)
            return
        sent = answer.plain
        if len(sent.body) > WORTH_PACKING and accepts_gzip(header(scope, b"accept-encoding")):
            sent = answer.packed or sent
            if is_remembered and answer.packed is None and not answer.is_packing:
                self._pack(answer)
        await send_unless_known(sent, scope, send)

    async def _answer(self, scope: Scope) -> tuple[Kept | Captured, bool]:
        """Return the answer to a request, and whether it was there already; raises what asking the database raises."""
        question = question_of(scope["path"], scope["query_string"])
        if self._cache.find(question) is None and (question, None) not in self._asking:
            # Nobody has an answer, whose version would have to be known.
            return await self._ask(question, None, None, scope), False
        version = await self._clock.now()
        known = self._cache.find(question)
        if known is not None and known.read.version.covers(version):
            return known, True
        return await self._ask(question, version, known, scope), False

    async def _ask(self, question: bytes, version: Version | None, known: Kept | None, scope: Scope) -> Kept | Captured:
        """Return a new answer, the same one to all who ask the same of the same version meanwhile."""
        asking = self._asking.get((question, version))
        if asking is None:
            asking = self._asking[question, version] = asyncio.create_task(self._renew(question, known, scope))
            asking.add_done_callback(lambda _: self._asking.pop((question, version)))
        return await asyncio.shield(asking)

    async def _renew(self, question: bytes, known: Kept | None, scope: Scope) -> Kept | Captured:
        """Return the answer of the latest version: the known one, the known one made again, or the application's."""
        if known is None:
            return await self._compute(question, scope)
        read = await self._read(known.read.statement, *known.read.values)
        if read.columns == known.read.columns:
            return self._keep(renewed(known, read))
        try:
            return self._keep(remade(known, read))
        except Exception:
            logger.exception("An answer could not be made again; asking the application.")
            return await self._compute(question, scope)

    async def _compute(self, question: bytes, scope: Scope) -> Kept | Captured:
        captured = Captured()
        state: dict[str, Any] = {}
        whole: Any = {**scope, "state": state}
        await self._app(whole, _no_body, captured.send)
        seen = state.get(SEEN)
        if seen is None or captured.status != HTTPStatus.OK:
            return captured
        read, make = seen
        return self._keep(kept(question, read, make, captured.headers, captured.body))

    def _keep(self, answer: Kept) -> Kept:
        self._cache.keep(answer)
        return answer

    def _pack(self, answer: Kept) -> None:
        """Pack an answer for those who ask next: nobody waits for it, and what is asked once is not packed."""

        async def pack() -> None:
            self._cache.keep_packed(answer, await asyncio.to_thread(packed, answer))

        answer.is_packing = True
        packing = asyncio.create_task(pack())
        self._packing.add(packing)
        packing.add_done_callback(self._packing.discard)


async def _no_body() -> HTTPReceiveMessage:
    return {"type": "http.request", "body": b"", "more_body": False}
