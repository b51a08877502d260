"""A client that costs little: keeps connections busy with one request, and notes how long each answer takes."""

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import cast

import uvloop

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class Load:
    """What a load did: the seconds of each answer, and over how many seconds."""

    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the seconds within which this share of the answers came."""
        ordered = sorted(self.answers)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class _Connection(asyncio.Protocol):
    """Sends the next of the requests whenever the last answer is complete."""

    def __init__(self, requests: list[bytes], load: Load, ended: asyncio.Event) -> None:
        self._requests = requests
        self._load = load
        self._ended = ended
        self._sent = 0
        self._missing = 0
        self._head = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._sent % len(self._requests)])
        self._sent += 1

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 200 " not in head[:16] or (length := LENGTH.search(head)) is None:
                raise AssertionError(head)
            self._head = b""
            self._missing = int(length[1]) - len(body)
        if not self._missing:
            self._load.answers.append(time.perf_counter() - self._began)
            if self._ended.is_set():
                self._transport.close()
            else:
                self._send()


async def _keep_busy(address: tuple[str, int], requests: list[bytes], clients: int, seconds: float) -> Load:
    load, ended = Load(), asyncio.Event()
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(requests, load, ended), *address) for _ in range(clients)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    load.seconds = time.perf_counter() - began
    ended.set()
    for transport, _ in opened:
        transport.close()
    return load


def keep_busy(port: int, paths: list[str], *, clients: int, seconds: float) -> Load:
    """Ask for the paths in turn, each of the clients one at a time, for some seconds."""
    requests = [f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode() for path in paths]
    return uvloop.run(_keep_busy(("127.0.0.1", port), requests, clients, seconds))
