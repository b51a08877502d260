"""From a request's body to files on disk: raw or multipart, plain or compressed, and always bounded."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from services.ingest.api.spool import CHUNK, BrokenArchiveError, Budget, Spooled, TooLargeError, unpack, write
from shared.errors import ProblemError

DEFAULT_FILENAME = "upload.csv"
ENCODINGS = {"", "identity", "gzip", "x-gzip", "zstd"}
PARTS_LIMIT = 100
SILENCE_SECONDS = 60.0
"""For how long a client may send nothing amid a body."""


async def receive(request: Request[Any, Any, Any], folder: Path, limit: int, filename: str | None) -> list[Spooled]:
    """Spool the files of a request under `folder`.

    Raises `ProblemError`: 400 for a broken body, 408 for a silent client, 413 over `limit`, 415 unless it can be read.
    """
    chunks = _alive(request.stream())
    try:
        _check_announced_size(request, limit)
        return await _spool(request, chunks, folder, limit, filename)
    except TooLargeError as error:
        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error)) from error
    except (BrokenArchiveError, MultipartError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"The body is broken: {error}") from error


def _check_announced_size(request: Request[Any, Any, Any], limit: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooLargeError(limit)


async def _alive(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what comes; raises `ProblemError` when nothing has come for too long."""
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            detail = f"Nothing of the body has come for {SILENCE_SECONDS:.0f} s; send the same request again."
            raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, detail) from error
        if chunk is None:
            return
        yield chunk


async def _spool(
    request: Request[Any, Any, Any],
    chunks: AsyncIterator[bytes],
    folder: Path,
    limit: int,
    filename: str | None,
) -> list[Spooled]:
    budget, unpacked = Budget(limit), Budget(limit)
    content_type, options = request.content_type
    if await _is_encoded(request):
        body = folder / "body"
        await write(chunks, body, Budget(limit))
        await asyncio.to_thread(unpack, body, Budget(limit))
        chunks = _read(body)
    if content_type != "multipart/form-data":
        sha256 = await write(chunks, folder / "0", budget)
        return [await _unpacked(folder / "0", filename or DEFAULT_FILENAME, sha256, unpacked)]
    spooled = await _spool_parts(chunks, options.get("boundary", ""), folder, budget)
    return [await _unpacked(file.path, file.filename, file.sha256, unpacked) for file in spooled]


async def _is_encoded(request: Request[Any, Any, Any]) -> bool:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise ProblemError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding {encoding!r} is not known here; send gzip, zstd or plain text.",
        )
    return encoding not in {"", "identity"}


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


async def _unpacked(path: Path, filename: str, sha256: str, budget: Budget) -> Spooled:
    content_sha256 = await asyncio.to_thread(unpack, path, budget)
    return Spooled(path, _clean(filename), content_sha256 or sha256)


def _clean(filename: str) -> str:
    """Return the file's own name, without folders and without what no name should hold."""
    name = filename.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in name if character.isprintable()).strip() or DEFAULT_FILENAME


async def _spool_parts(chunks: AsyncIterator[bytes], boundary: str, folder: Path, budget: Budget) -> list[Spooled]:
    """Write each part named `file` to a file of its own, as it comes in."""
    parser = PushMultipartParser(boundary, max_segment_count=PARTS_LIMIT)
    spooled: list[Spooled] = []
    others: list[str] = []
    async for segment, content in _parts(parser, chunks):
        path = folder / str(len(spooled))
        sha256 = await write(content, path, budget)
        if segment.name == "file":
            spooled.append(Spooled(path, segment.filename or DEFAULT_FILENAME, sha256))
        else:
            others.append(segment.name or "(no name)")
    if not spooled:
        found = f"found: {', '.join(others)}" if others else "there is none"
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"Send each file as a part named 'file' ({found}).")
    return spooled


async def _parts(
    parser: PushMultipartParser,
    chunks: AsyncIterator[bytes],
) -> AsyncIterator[tuple[MultipartSegment, AsyncIterator[bytes]]]:
    """Yield each part with its content, which must be read before the next part is asked for."""
    events = _events(parser, chunks)

    async def content() -> AsyncIterator[bytes]:
        async for event in events:
            if not isinstance(event, bytes | bytearray):
                return
            yield bytes(event)

    async for event in events:
        if isinstance(event, MultipartSegment):
            yield event, content()


async def _events(
    parser: PushMultipartParser,
    chunks: AsyncIterator[bytes],
) -> AsyncIterator[MultipartSegment | bytes | bytearray | None]:
    with parser:
        async for chunk in chunks:
            for event in parser.parse(chunk):
                yield event
