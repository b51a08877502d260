"""Answers as bytes that are ready to send, under strong ETags (RFC 9110, section 8.8.3).

Pure: no framework.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from typing_extensions import Buffer

import shared
from services.query.columns import Make, Read
from services.query.dataset import Version

Headers = list[tuple[bytes, bytes]]

GZIP_LEVEL = 5
WORTH_PACKING = 1400
"""What is smaller fits into one packet as it is."""

PRIVATE = [(b"cache-control", b"private, no-cache")]
"""A browser may keep the answer, and asks with its tag whether it still holds."""

VARY = (b"vary", b"accept-encoding")
PLAIN, GZIP = b"", b"gzip" + zlib.ZLIB_RUNTIME_VERSION.encode()
"""How a body is encoded, as far as its bytes depend on it."""

REPLACED = frozenset({b"content-length", b"etag", b"cache-control", b"vary"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A body with all its headers, one of them its tag."""

    tag: bytes
    headers: Headers
    body: bytes


@dataclass(slots=True)
class Kept:
    """The answer to a question and what it is made of, plain and, once asked for again, packed.

    `ends` tells where the first part begins in the plain body, and where each ends, if it was made of parts.
    """

    question: bytes
    read: Read
    make: Make[Any]
    plain: Sent
    ends: Sequence[int] = ()
    packed: Sent | None = None
    is_packing: bool = False

    @property
    def size(self) -> int:
        """Return about how many bytes it takes: its bodies, and the numbers and texts that it is made of."""
        texts_in_columns = len(self.plain.body)
        return len(self.plain.body) + texts_in_columns + (len(self.packed.body) if self.packed else 0) + self.read.size


def kept(question: bytes, read: Read, make: Make[Any], headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Kept:
    """Return the answer to a question, with the tag that no other answer has."""
    others = [header for header in headers if header[0] not in REPLACED]
    return Kept(question, read, make, _sent(_tag(question, read.version, PLAIN), [*others, VARY], body))


def renewed(answer: Kept, read: Read) -> Kept:
    """Return the answer as it is in a later version where it is made of the same: the same body under another tag."""
    plain = _retagged(answer.plain, _tag(answer.question, read.version, PLAIN))
    again = answer.packed and _retagged(answer.packed, _tag(answer.question, read.version, GZIP))
    return Kept(answer.question, read, answer.make, plain, answer.ends, again)


def packed(answer: Kept) -> Sent:
    """Return the answer packed with gzip, under a tag of its own, as its bytes are others."""
    tag = _tag(answer.question, answer.read.version, GZIP)
    others = [header for header in answer.plain.headers if header[0] not in REPLACED]
    body = gzip.compress(answer.plain.body, GZIP_LEVEL, mtime=0)
    return _sent(tag, [*others, VARY, (b"content-encoding", b"gzip")], body)


def tagged(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Sent:
    """Return an answer that belongs to no version, under a tag made of its bytes."""
    others = [header for header in headers if header[0] not in REPLACED]
    return _sent(_quoted(hashlib.blake2b(body, digest_size=16)), others, body)


def question_of(path: str, query: bytes) -> bytes:
    """Return what identifies a question: its path, and its parameters in the order of their names."""
    if b"&" in query:
        query = b"&".join(sorted(query.split(b"&"), key=_name))
    return path.encode() + b"?" + query


@lru_cache(maxsize=256)
def accepts_gzip(accepted: bytes) -> bool:
    """Tell whether an Accept-Encoding header allows gzip."""
    for each in accepted.lower().split(b","):
        coding, _, weight = each.partition(b";")
        if coding.strip() == b"gzip":
            return weight.strip().removeprefix(b"q=").strip(b"0.") != b"" or not weight
    return False


@lru_cache(maxsize=1)
def build() -> bytes:
    """Return what changes whenever the code does that makes answers."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(installed("msgspec").encode())
    for module in sources():
        digest.update(module.read_bytes())
    return digest.digest()


def sources() -> list[Path]:
    """Return the files of the code that makes answers: this service's, and what it shares with the others."""
    return [path for module in (__file__, shared.__file__) for path in sorted(Path(module).parent.glob("*.py"))]


def _sent(tag: bytes, headers: Headers, body: bytes) -> Sent:
    length = (b"content-length", str(len(body)).encode())
    return Sent(tag, [*headers, *PRIVATE, (b"etag", tag), length], body)


def _retagged(sent: Sent, tag: bytes) -> Sent:
    headers = [(name, tag if name == b"etag" else value) for name, value in sent.headers]
    return Sent(tag, headers, sent.body)


def _tag(question: bytes, version: Version, encoding: bytes) -> bytes:
    digest = hashlib.blake2b(build(), digest_size=16)
    for part in (version.epoch.bytes, str(version.number).encode(), encoding, question):
        digest.update(len(part).to_bytes(4) + part)
    return _quoted(digest)


def _quoted(digest: "hashlib.blake2b") -> bytes:
    return b'"' + digest.hexdigest().encode() + b'"'


def _name(parameter: Buffer) -> bytes:
    """Return the name of a parameter as the application reads it, so that those of one name keep their order."""
    return unquote_to_bytes(bytes(parameter).partition(b"=")[0].replace(b"+", b" "))
