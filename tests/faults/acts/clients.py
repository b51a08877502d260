"""Faults of HTTP clients: they hang up, dawdle, lie, send bombs, and do the same thing twice at once."""

import asyncio
import contextlib
import gzip
import time
from urllib.parse import urlsplit

import httpx

from tests.faults.files import File
from tests.faults.scenario import expect
from tests.faults.stage import SPARES, Stage

BOMB_BYTES = 48 * 2**20
LIMIT_BYTES = 32 * 2**20


async def misbehaved(stage: Stage) -> None:
    """One after another: clients that hang up at some byte, send a byte at a time, and lie about lengths."""
    for _ in range(4):
        await _hangs_up(stage)
    await _dawdles(stage)
    await _lies(stage)


async def _raw(stage: Stage, *pieces: bytes, pause: float = 0.0, answer: bool = True) -> bytes:
    """Send bytes to the ingest and return what comes back; without an answer hang up at once."""
    url = urlsplit(stage.fleet[stage.fleet.named("ingest")[-1]].url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if not answer:
            return b""
        async with asyncio.timeout(20):
            return await reader.read(4096)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _head(file: File, length: int | str) -> bytes:
    query = f"mode={file.mode.value}&kind={file.upload.kind.value}&filename={file.name}"
    key = f"Idempotency-Key: {file.key}\r\n" if file.key else ""
    return f"POST /uploads?{query} HTTP/1.1\r\nHost: x\r\n{key}Content-Length: {length}\r\n\r\n".encode()


async def _hangs_up(stage: Stage) -> None:
    """Hang up after some of the body; nobody may ever see any of it."""
    file = stage.load.new(stage.chance)
    stage.load.files.pop()
    await _raw(
        stage, _head(file, len(file.content)), file.content[: stage.chance.randrange(len(file.content))], answer=False
    )


async def _dawdles(stage: Stage) -> None:
    """Send the first bytes one at a time: slow is no fault."""
    file = stage.load.new(stage.chance)
    begun, content = time.time(), file.content
    slow = [content[n : n + 1] for n in range(8)]
    said = await _raw(stage, _head(file, len(content)), *slow, content[8:], pause=0.1)
    expect(stage, b" 202 " in said.split(b"\r\n")[0], f"a 202 ({said[:300]!r})")
    file.unknown.append((begun, time.time()))
    await stage.load.send(file)


async def _lies(stage: Stage) -> None:
    """Announce more than may come, more than comes, and what is no number."""
    file = stage.load.new(stage.chance)
    stage.load.files.pop()
    said = await _raw(stage, _head(file, 10**15), b"date,")
    expect(stage, b" 413 " in said.split(b"\r\n")[0], f"a 413 ({said[:300]!r})")
    said = await _raw(stage, _head(file, "many"), file.content)
    expect(stage, b" 400 " in said.split(b"\r\n")[0], f"a 400 ({said[:300]!r})")
    await _raw(stage, _head(file, len(file.content) + 100), file.content, answer=False)


async def bombs(stage: Stage) -> None:
    """Bodies that unpack to more than is taken are refused, one as a file and one as an encoding."""
    settings = {"ADLEDGER_MAX_UPLOAD_BYTES": str(LIMIT_BYTES)}
    stage.fleet.start(SPARES[1], settings=settings)
    await stage.fleet.ready(SPARES[1])
    bomb = await asyncio.to_thread(gzip.compress, bytes(BOMB_BYTES))
    async with httpx.AsyncClient(timeout=30) as http:
        for headers in ({}, {"Content-Encoding": "gzip"}):
            answer = await http.post(f"{stage.fleet[SPARES[1]].url}/uploads", content=bomb, headers=headers)
            expect(stage, answer.status_code == 413, f"a 413 ({answer.status_code} {answer.text})")
    await stage.fleet.stop(SPARES[1])


async def twice_at_once(stage: Stage) -> None:
    """Two pods get the same file at the same time, with a key and without."""
    for _ in range(5):
        file = stage.load.new(stage.chance)
        await asyncio.gather(stage.load.send(file), stage.load.send(file), stage.load.send(file))


async def reverts_race(stage: Stage) -> None:
    """The same files are sent, taken back twice at once and sent again, all at the same time."""
    for _ in range(4):
        file = stage.load.new(stage.chance)
        await stage.load.send(file)
        back = [stage.load.take_back(file, contested=True) for _ in range(2)]
        await asyncio.gather(stage.load.send(file), *back, stage.load.send(file))


async def late_messages(stage: Stage) -> None:
    """A file is taken back and sent again while the messages of its first sending are redelivered late."""
    for _ in range(3):
        file = stage.load.new(stage.chance)
        await stage.load.send(file)
        for way in stage.network.to("broker", "consumer"):
            way.reset()
        back = asyncio.create_task(stage.load.take_back(file))
        for way in stage.network.to("database", "consumer"):
            way.reset()
        await back
        await stage.load.send(file)
