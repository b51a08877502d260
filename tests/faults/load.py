"""Clients that send, send again and take back, and repeat a request until they know what became of it."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator

import httpx

from tests.faults.files import File, Window, make_file
from tests.faults.history import History

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.3
ANSWER_SECONDS = 40.0
"""An upload is refused after about 10 s without a broker; a whole request may wait for several such things."""

Addresses = Callable[[str], list[str]]
"""Returns the addresses of all processes of a kind that are there."""


class GaveUpError(AssertionError):
    """A client repeated a request for as long as anybody would, and never got an answer that settles it."""


class Load:
    """Everything that was sent to one adledger, and what its clients know about it."""

    def __init__(self, addresses: Addresses, history: History) -> None:
        self._addresses, self._history = addresses, history
        self._http = httpx.AsyncClient(timeout=ANSWER_SECONDS)
        self.chance = random.Random()
        self.files: list[File] = []
        self.rows_accepted = 0
        self.slowest = 0.0
        """How long the slowest answer took."""
        self.violations: list[str] = []

    async def burst(self, clients: int, operations: int, *, large: int = 0) -> None:
        """Let some clients work at the same time, each in its own order; the first ones begin with a large file."""
        seeds = [self.chance.getrandbits(64) for _ in range(clients)]
        works = [self._client(random.Random(seed), operations, large=n < large) for n, seed in enumerate(seeds)]
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)

    async def _client(self, chance: random.Random, operations: int, *, large: bool) -> None:
        own: list[File] = []
        for number in range(operations):
            choice = chance.random()
            if not own or choice < 0.7 or (large and number == 0):
                own.append(self.new(chance, large=large and number == 0))
                await self.send(own[-1])
            elif choice < 0.87:
                await self.send(chance.choice(own))
            else:
                await self.take_back(chance.choice(own))

    def new(self, chance: random.Random, *, large: bool = False) -> File:
        """Return a new file, which is yet to be sent."""
        return self.add(make_file(chance, f"f{len(self.files)}-{chance.getrandbits(32):08x}", large=large))

    def add(self, file: File) -> File:
        """Take note of a file that is about to be sent."""
        self.files.append(file)
        return file

    async def probe(self) -> File:
        """Send one small file of stats."""
        file = self.new(random.Random(self.chance.getrandbits(64)))
        await self.send(file)
        return file

    async def send(self, file: File, by: str = "ingest") -> None:
        """Send a file until it is accepted, by any process of a kind or by one of this name."""
        headers = {"Idempotency-Key": file.key} if file.key else {}
        parameters = {"mode": file.mode.value, "filename": file.name, "kind": file.upload.kind.value}
        request = {"content": file.content, "headers": headers, "params": parameters}
        for begin in _tries():
            answer = await self._ask("POST", "/uploads", by, **request)
            if answer is not None and answer.status_code == 202:
                return self.accepted(file, answer.json()["uploads"][0])
            file.unknown.append((begin, time.time()))
            self._judge(answer, {503, 507}, file)
            await asyncio.sleep(PAUSE_SECONDS)
        raise GaveUpError(file.name)

    def accepted(self, file: File, upload: dict[str, object]) -> None:
        """Take note of the answer to a sending."""
        file.id = str(upload["id"])
        file.answered.append(str(upload["received_at"]))
        self.rows_accepted += file.accepted
        said = (upload["rows_accepted"], upload["rows_rejected"])
        if said != (file.accepted, file.rejected):
            self.violations.append(f"{file.name}: {said} rows instead of {file.accepted, file.rejected}")
        self._history.note("accepted", file=file.name, id=file.id, received_at=upload["received_at"])

    async def take_back(self, file: File, *, contested: bool = False) -> None:
        """Take a file back until that is known to have happened; a contested one may be sent again meanwhile."""
        for begin in _tries():
            answer = await self._ask("DELETE", f"/uploads/{file.id}")
            done = answer is not None and answer.status_code == 200
            file.taken_back.append(Window(begin, time.time(), sure=done))
            if done or (answer is not None and await self._became_so(answer, file, contested=contested)):
                self._history.note("taken back", file=file.name, id=file.id)
                return
            # An upload whose batches nobody has taken from the queue yet is unknown.
            self._judge(answer, {202, 404, 503}, file)
            await asyncio.sleep(PAUSE_SECONDS)
        raise GaveUpError(file.name)

    async def _became_so(self, answer: httpx.Response, file: File, *, contested: bool) -> bool:
        """Tell whether a request that takes longer comes to its effect, or another one to a later effect."""
        if contested and answer.status_code == 409:
            return True
        end = time.monotonic() + 5
        while answer.status_code == 202 and time.monotonic() < end:
            if contested or await self.state(file) == "reverted":
                return True
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def state(self, file: File) -> str:
        """Return what the read service says of a file; `away` while it cannot say anything."""
        answer = await self.read(f"/uploads/{file.id}")
        return "away" if answer is None else str(answer.json()["state"])

    async def read(self, path: str, **parameters: object) -> httpx.Response | None:
        """Return a good answer of the read service, None while there is none."""
        try:
            answer = await self._http.get(f"{self._addresses('query')[0]}{path}", params=parameters)
        except (httpx.TransportError, IndexError):
            return None
        return answer if answer.is_success else None

    async def _ask(self, method: str, path: str, by: str = "ingest", **request: object) -> httpx.Response | None:
        """Return the answer of some ingest, None when there is none or the connection broke."""
        begin = time.monotonic()
        try:
            address = self.chance.choice(self._addresses(by))
            return await self._http.request(method, f"{address}{path}", **request)
        except (httpx.TransportError, IndexError) as error:
            self._history.note("no answer", request=f"{method} {path}", error=repr(error))
            if isinstance(error, httpx.ReadTimeout):
                self.violations.append(f"{method} {path}: no answer within {ANSWER_SECONDS:.0f} s")
            return None
        finally:
            self.slowest = max(self.slowest, time.monotonic() - begin)

    def _judge(self, answer: httpx.Response | None, expected: set[int], file: File) -> None:
        if answer is None:
            return
        self._history.note("not now", file=file.name, status=answer.status_code, body=answer.text[:300])
        if answer.status_code not in expected:
            self.violations.append(f"{file.name}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code == 503 and "retry-after" not in answer.headers:
            self.violations.append(f"{file.name}: a 503 does not say when to try again")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _tries() -> Iterator[float]:
    """Yield the time of each try, for as long as a client is patient."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        yield time.time()
