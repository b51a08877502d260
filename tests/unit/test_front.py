import asyncio
import gzip
from typing import Any
from uuid import UUID

import pytest

from services.query import front
from services.query.answers import packed
from services.query.cache import Cache
from services.query.columns import Read, whole
from services.query.dataset import Version
from services.query.facts import SEEN
from services.query.front import Front

pytestmark = pytest.mark.anyio
EPOCH = UUID(int=1)


class Stage:
    """A front before an application that counts what it is asked, and a version that the test sets."""

    def __init__(self) -> None:
        self.number = 1
        self.asked: list[str] = []
        self.tag: bytes | None = None
        self.status = 200
        self.error: Exception | None = None
        self.error_of_reading: Exception | None = None
        self.error_of_making: Exception | None = None
        self.body: bytes | None = None
        self.received: list[tuple[bytes, bytes]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.columns: list[list[Any]] | None = None
        self.made = 0
        self.front = Front(self.app, self, Cache(10**6), ["/kept"], self.refuse)

    async def version(self) -> Version:
        if self.error is not None:
            raise self.error
        return Version(EPOCH, self.number)

    async def read(self, statement: str, *values: object) -> Read:
        """Return the columns that the test sets, else some that no other version has."""
        if self.error_of_reading is not None:
            raise self.error_of_reading
        assert (statement, values) == ("SELECT", (1,))
        return Read(statement, values, Version(EPOCH, self.number), self.columns or [[self.number]])

    def make(self, columns: list[list[Any]]) -> Any:
        self.made += 1
        if self.error_of_making is not None:
            raise self.error_of_making
        return columns[0][0]

    async def app(self, scope: Any, _: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        number = self.number
        await self.gate.wait()
        read = Read("SELECT", (1,), Version(EPOCH, number), self.columns or [[number]])
        scope["state"][SEEN] = (read, whole(self.make))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body or b"%d" % number, "more_body": False})

    async def refuse(self, _: Any, __: Any, send: Any, ___: Exception) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def ask(self, path: str = "/kept", query: bytes = b"", method: str = "GET") -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope: Any = {"type": "http", "method": method, "path": path, "query_string": query, "state": {}}
        scope["headers"] = self.received
        await self.front(scope, receive, send)
        self.tag = dict(sent[0]["headers"]).get(b"etag")
        return sent[0]["status"], sent[1]["body"]


async def test_an_answer_is_made_once_a_version() -> None:
    stage = Stage()
    assert [await stage.ask() for _ in range(3)] == [(200, b"1")] * 3
    stage.number = 2
    assert [await stage.ask() for _ in range(3)] == [(200, b"2")] * 3
    assert (len(stage.asked), stage.made) == (1, 1)


async def test_those_who_ask_the_same_at_once_share_one_answer() -> None:
    """But for the first, whose numbers may have been read before the others came."""
    stage = Stage()
    stage.gate.clear()
    asking = [asyncio.create_task(stage.ask()) for _ in range(20)]
    asking.append(asyncio.create_task(stage.ask(query=b"other=1")))
    await asyncio.sleep(0.01)
    stage.gate.set()
    assert await asyncio.gather(*asking) == [(200, b"1")] * 21
    assert len(stage.asked) == 3


async def test_one_who_goes_away_leaves_the_answer_to_the_others() -> None:
    stage = Stage()
    stage.gate.clear()
    asking = [asyncio.create_task(stage.ask()) for _ in range(3)]
    await asyncio.sleep(0.01)
    asking[0].cancel()
    stage.gate.set()
    assert await asyncio.gather(*asking[1:]) == [(200, b"1")] * 2


async def test_an_answer_that_was_under_way_when_the_data_changed_is_not_given_to_those_who_ask_later() -> None:
    stage = Stage()
    stage.gate.clear()
    early = asyncio.create_task(stage.ask())
    await asyncio.sleep(0.01)
    stage.number = 2
    late = asyncio.create_task(stage.ask())
    await asyncio.sleep(0.01)
    stage.gate.set()
    assert (await early, await late) == ((200, b"1"), (200, b"2"))
    assert await stage.ask() == (200, b"2")


async def test_what_nobody_asked_before_needs_no_version() -> None:
    stage = Stage()
    stage.error = AssertionError("asked for the version")
    assert await stage.ask() == (200, b"1")


async def test_what_is_no_success_is_passed_on_and_not_kept() -> None:
    stage = Stage()
    stage.status = 400
    assert [await stage.ask() for _ in range(2)] == [(400, b"1")] * 2
    assert len(stage.asked) == 2


async def test_nothing_is_answered_from_memory_while_the_database_is_away() -> None:
    stage = Stage()
    assert await stage.ask() == (200, b"1")
    stage.error = ConnectionRefusedError()
    assert await stage.ask() == (503, b"")
    stage.error = None
    assert await stage.ask() == (200, b"1")


async def test_an_answer_that_is_made_of_the_same_is_not_made_again() -> None:
    stage = Stage()
    stage.columns = [[7]]
    tags = []
    for stage.number in (1, 2, 2, 3):
        assert await stage.ask() == (200, b"1")
        tags.append(stage.tag)
    assert (len(stage.asked), stage.made) == (1, 0)
    # As the tag of another process would be that has not had the question before.
    assert (len(set(tags)), tags[1]) == (3, tags[2])


async def test_an_answer_that_is_made_of_other_numbers_is_made_without_the_application() -> None:
    stage = Stage()
    for stage.number in (1, 2, 2, 3):
        assert await stage.ask() == (200, b"%d" % stage.number)
    assert (len(stage.asked), stage.made) == (1, 2)


async def test_what_cannot_be_read_again_is_refused() -> None:
    stage = Stage()
    assert await stage.ask() == (200, b"1")
    stage.number, stage.error_of_reading = 2, ConnectionResetError()
    assert await stage.ask() == (503, b"")
    stage.error_of_reading = None
    assert await stage.ask() == (200, b"2")


async def test_what_cannot_be_made_again_is_the_applications() -> None:
    stage = Stage()
    assert await stage.ask() == (200, b"1")
    stage.number, stage.error_of_making = 2, OverflowError()
    assert await stage.ask() == (200, b"2")
    assert (len(stage.asked), stage.made) == (2, 1)


async def test_what_stays_the_same_is_packed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.columns, stage.body, stage.received = [[7]], b"x" * 5000, [(b"accept-encoding", b"gzip")]
    packings = []
    monkeypatch.setattr(front, "packed", lambda answer: packings.append(answer) or packed(answer))
    for stage.number in (1, 1, 2, 2, 3):
        _, body = await stage.ask()
        await asyncio.sleep(0.05)
    assert (len(packings), gzip.decompress(body)) == (1, stage.body)


async def test_other_paths_and_methods_are_the_applications() -> None:
    stage = Stage()
    for path, method in (("/other", "GET"), ("/other", "GET"), ("/kept", "OPTIONS"), ("/kept", "OPTIONS")):
        assert await stage.ask(path, method=method) == (200, b"1")
    assert len(stage.asked) == 4
