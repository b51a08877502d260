"""Where uploads are kept on disk while they are looked at; memory stays flat whatever their size.

Each process has a folder of its own, and each request a folder in that, which is gone when the request ends.
Folders of processes that died are removed when the next one starts.
"""

import fcntl
import gzip
import hashlib
import shutil
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

CHUNK = 1 << 18
SIP = 1 << 8
"""How much zstd is unpacked at a time: a bomb makes up to 32 KiB of each byte."""
GZIP_MAGIC = b"\x1f\x8b"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class TooLargeError(ValueError):
    """A body, or what it unpacks to, is larger than this service takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Larger than {limit:,} bytes, the most this service takes (unpacked). Split the file, "
            "or ask the operator to raise ADLEDGER_MAX_UPLOAD_BYTES.",
        )


class BrokenArchiveError(ValueError):
    """A compressed body that cannot be unpacked."""


@dataclass(frozen=True)
class Spooled:
    """A file on disk, unpacked: its name as sent, and the hex SHA-256 of its content."""

    path: Path
    filename: str
    sha256: str


class Budget:
    """How many more bytes a request may bring; `spend` raises `TooLargeError` when there are none left."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._left = limit

    def spend(self, amount: int) -> None:
        """Take `amount` bytes off what is left."""
        self._left -= amount
        if self._left < 0:
            raise TooLargeError(self.limit)


class Spool:
    """This process's folder for uploads in flight."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        with (root / "lock").open("w") as turn:
            # One at a time: else a folder could be swept before its process has locked it.
            fcntl.flock(turn, fcntl.LOCK_EX)
            _sweep(root)
            self._home = Path(tempfile.mkdtemp(prefix="ingest-", dir=root))
            self._alive = _lock(self._home)
        self._over: set[Path] = set()

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a folder for one request, and remove it with all it holds."""
        path = Path(tempfile.mkdtemp(dir=self._home))
        try:
            yield path
        finally:
            self._over.add(path)
            self._tidy()

    def _tidy(self) -> None:
        """Remove folders of requests that are over; one that cannot be now, for want of open files, is the next's."""
        for path in tuple(self._over):
            shutil.rmtree(path, ignore_errors=True)
            if not path.exists():
                self._over.discard(path)

    def close(self) -> None:
        """Remove the process's folder."""
        shutil.rmtree(self._home, ignore_errors=True)
        if self._alive is not None:
            self._alive.close()


def _sweep(root: Path) -> None:
    """Remove the folders whose processes are gone, which is when their lock can be had."""
    for folder in root.glob("ingest-*"):
        lock = _lock(folder)
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            lock.close()


def _lock(folder: Path) -> IO[str] | None:
    try:
        file = (folder / "lock").open("w")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None
    return file


async def write(chunks: AsyncIterator[bytes], path: Path, budget: Budget) -> str:
    """Write a stream to `path` and return its hex SHA-256; raises `TooLargeError`."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        async for chunk in chunks:
            budget.spend(len(chunk))
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def unpack(path: Path, budget: Budget) -> str | None:
    """Replace a gzip or zstd file by its content and return the content's hex SHA-256; None for any other file.

    Blocks. Either file's size is spent. Raises `TooLargeError` as soon as the budget is, and `BrokenArchiveError`.
    """
    with path.open("rb") as packed:
        magic = packed.read(len(ZSTD_MAGIC))
        packed.seek(0)
        if magic.startswith(GZIP_MAGIC):
            pieces = _gunzip(packed)
        elif magic == ZSTD_MAGIC:
            pieces = _unzstd(packed)
        else:
            budget.spend(path.stat().st_size)
            return None
        sha256 = _write_pieces(pieces, path.with_suffix(".unpacked"), budget)
    path.with_suffix(".unpacked").replace(path)
    return sha256


def _write_pieces(pieces: Iterator[bytes], target: Path, budget: Budget) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for piece in pieces:
            budget.spend(len(piece))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _gunzip(packed: BinaryIO) -> Iterator[bytes]:
    try:
        with gzip.GzipFile(fileobj=packed) as content:
            while piece := content.read(CHUNK):
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        raise BrokenArchiveError(f"The gzip data is broken: {error}") from error


def _unzstd(packed: BinaryIO) -> Iterator[bytes]:
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        while sip := frame.unused_data or packed.read(SIP):
            frame = zstandard.ZstdDecompressor().decompressobj() if frame.eof else frame
            yield frame.decompress(sip)
    except zstandard.ZstdError as error:
        raise BrokenArchiveError(f"The zstd data is broken: {error}") from error
    if not frame.eof:
        raise BrokenArchiveError("The zstd data is broken: it ends in the middle.")
