"""Clients that send, send again and take back, and repeat a request until they know what became of it."""

import asyncio
import random
import time

import httpx

from tests.faults.files import File, make_file
from tests.faults.fleet import Fleet
from tests.faults.history import History

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.3


class GaveUpError(AssertionError):
    """A client repeated a request for as long as anybody would, and never got an answer that settles it."""


class Load:
    """Everything that was sent to one adledger, and what its clients know about it."""

    def __init__(self, fleet: Fleet, history: History, chance: random.Random) -> None:
        self._fleet, self._history, self._chance = fleet, history, chance
        self._http = httpx.AsyncClient(timeout=30)
        self.files: list[File] = []
        self.rows_accepted = 0
        self.violations: list[str] = []

    async def burst(self, clients: int, operations: int, *, large: int = 0) -> None:
        """Let some clients work at the same time, each in its own order; the first ones begin with a large file."""
        seeds = [self._chance.getrandbits(64) for _ in range(clients)]
        works = [self._client(random.Random(seed), operations, large=n < large) for n, seed in enumerate(seeds)]
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)

    async def _client(self, chance: random.Random, operations: int, *, large: bool) -> None:
        own: list[File] = []
        for number in range(operations):
            choice = chance.random()
            if not own or choice < 0.7 or (large and number == 0):
                own.append(self._new(chance, large=True if large and number == 0 else None))
                await self.send(own[-1])
            elif choice < 0.87:
                await self.send(chance.choice(own))
            else:
                await self.take_back(chance.choice(own))

    def _new(self, chance: random.Random, *, large: bool | None) -> File:
        self.files.append(make_file(chance, f"f{len(self.files)}-{chance.getrandbits(32):08x}", large=large))
        return self.files[-1]

    async def probe(self) -> File:
        """Send one small file of stats."""
        file = self._new(random.Random(self._chance.getrandbits(64)), large=None)
        await self.send(file)
        return file

    async def send(self, file: File) -> None:
        """Send a file until it is accepted."""
        headers = {"Idempotency-Key": file.key} if file.key else {}
        parameters = {"mode": file.mode.value, "filename": file.name, "kind": file.upload.kind.value}
        request = {"content": file.content, "headers": headers, "params": parameters}
        for begin in self._tries(f"send {file.name}"):
            answer = await self._ask("POST", "/uploads", **request)
            if answer is not None and answer.status_code == 202:
                return self._accepted(file, answer)
            file.unknown.append((begin, time.time()))
            self._judge(answer, {503}, file)
            await asyncio.sleep(PAUSE_SECONDS)
        raise GaveUpError(file.name)

    def _accepted(self, file: File, answer: httpx.Response) -> None:
        upload = answer.json()["uploads"][0]
        file.id = upload["id"]
        file.answered.append(upload["received_at"])
        self.rows_accepted += file.accepted
        said = (upload["rows_accepted"], upload["rows_rejected"])
        if said != (file.accepted, file.rejected):
            self.violations.append(f"{file.name}: {said} rows instead of {file.accepted, file.rejected}")
        self._history.note("accepted", file=file.name, id=file.id, received_at=upload["received_at"])

    async def take_back(self, file: File) -> None:
        """Take a file back until that is known to have happened."""
        for _ in self._tries(f"take back {file.name}"):
            answer = await self._ask("DELETE", f"/uploads/{file.id}")
            if answer is not None and (answer.status_code == 200 or await self._became_so(answer, file)):
                file.upload.reverts.add(int(time.time() * 1e6))
                self._history.note("taken back", file=file.name, id=file.id)
                return
            # An upload whose batches nobody has taken from the queue yet is unknown.
            self._judge(answer, {202, 404, 503}, file)
            await asyncio.sleep(PAUSE_SECONDS)
        raise GaveUpError(file.name)

    async def _became_so(self, answer: httpx.Response, file: File) -> bool:
        """Tell whether a request that takes longer comes to its effect."""
        end = time.monotonic() + 5
        while answer.status_code == 202 and time.monotonic() < end:
            if await self.state(file) == "reverted":
                return True
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def state(self, file: File) -> str:
        """Return what the read service says of a file; `away` while it cannot say anything."""
        try:
            answer = await self._http.get(f"{self._fleet['query'].url}/uploads/{file.id}")
        except httpx.TransportError:
            return "away"
        return str(answer.json()["state"]) if answer.is_success else "away"

    async def _ask(self, method: str, path: str, **request: object) -> httpx.Response | None:
        """Return the answer, None when the connection broke; the ingest service may be a new one each time."""
        try:
            return await self._http.request(method, f"{self._fleet['ingest'].url}{path}", **request)
        except httpx.TransportError as error:
            self._history.note("no answer", request=f"{method} {path}", error=repr(error))
            return None

    def _judge(self, answer: httpx.Response | None, expected: set[int], file: File) -> None:
        if answer is None:
            return
        self._history.note("not now", file=file.name, status=answer.status_code, body=answer.text[:300])
        if answer.status_code not in expected:
            self.violations.append(f"{file.name}: {answer.status_code} {answer.text[:300]}")

    def _tries(self, what: str) -> "Tries":
        return Tries(what)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class Tries:
    """Yields the time of each try, for as long as a client is patient."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._end = time.monotonic() + PATIENCE_SECONDS

    def __iter__(self) -> "Tries":
        return self

    def __next__(self) -> float:
        if time.monotonic() > self._end:
            raise StopIteration
        return time.time()
