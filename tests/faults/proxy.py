"""A faulty network: a relay in front of a server, whose connections can be slowed, held, cut and robbed at will.

What holds for a proxy holds for every connection through it, those that are open and those to come, until it is
told to `heal`.
"""

import asyncio
import contextlib
import math
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

CHUNK = 1 << 16
HARD = struct.pack("ii", 1, 0)

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Filter = Callable[[bytes], bytes]
"""Returns what is to be passed on of what came."""


class CutError(Exception):
    """The connection is to be reset, after `passed` has been passed on."""

    def __init__(self, passed: bytes = b"") -> None:
        super().__init__()
        self.passed = passed


@dataclass
class Way:
    """What happens to the bytes of one direction, over all connections."""

    delay: float = 0.0
    rate: float = math.inf
    loses: bool = False
    passed: int = 0
    """How many bytes have been passed on."""
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    make_filter: Callable[[], Filter] | None = None
    """Makes the filter of a new connection; those that are open keep what they have."""

    def heal(self) -> None:
        self.delay, self.rate, self.loses, self.make_filter = 0.0, math.inf, False, None
        self.is_open.set()


class Proxy:
    """A listener whose connections lead to a server."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._listener: asyncio.Server | None = None
        self._connections: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self.up, self.down = Way(), Way()
        self.refuses = False
        self.heal()

    async def open(self) -> int:
        """Listen, and return the port."""
        self._listener = await asyncio.start_server(self._on_connection, "127.0.0.1", 0)
        return int(self._listener.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, and reset what is open."""
        if self._listener is not None:
            self._listener.close()
        self.heal()
        self.reset()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def heal(self) -> None:
        """Let everything pass again; connections that were robbed by a filter must be `reset`, too."""
        self.up.heal()
        self.down.heal()
        self.refuses = False

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Let nothing pass, in one direction or both: the other end is silent, and no connection breaks."""
        for way, held in ((self.up, up), (self.down, down)):
            if held:
                way.is_open.clear()

    def lose(self) -> None:
        """Swallow whatever comes, in both directions, as a network does that lost its way to the other end."""
        self.up.loses = self.down.loses = True

    def slow(self, *, delay: float = 0.0, rate: float = math.inf) -> None:
        """Let bytes pass late, or so many a second."""
        for way in (self.up, self.down):
            way.delay, way.rate = delay, rate

    def rob(self, *, up: Callable[[], Filter] | None = None, down: Callable[[], Filter] | None = None) -> None:
        """Send new connections through filters, and reset the others, so that all are new."""
        self.up.make_filter, self.down.make_filter = up, down
        self.reset()

    def reset(self) -> int:
        """Reset every connection at both ends (RST), and return how many there were."""
        connections = list(self._connections)
        for ends in connections:
            for end in ends:
                _reset(end)
        return len(connections)

    def half_close(self) -> None:
        """Tell every client that its server has nothing more to say, while the other direction stays open."""
        for client, _ in list(self._connections):
            if client.can_write_eof() and not client.is_closing():
                client.write_eof()

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            if self.refuses:
                return _reset(writer)
            await self._relay(reader, writer)
        except OSError:
            _reset(writer)
        finally:
            self._serving.discard(task)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._connect()
        ends = (writer, server_writer)
        self._connections.add(ends)
        try:
            await asyncio.gather(
                _pump(reader, server_writer, self.up, self.up.make_filter),
                _pump(server_reader, writer, self.down, self.down.make_filter),
            )
            for end in ends:
                end.close()
        except (OSError, CutError, RuntimeError):
            # The last where more is to be said to a client that was told that there is nothing more.
            for end in ends:
                _reset(end)
        finally:
            self._connections.discard(ends)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way, make_filter: Callable[[], Filter] | None
) -> None:
    """Pass on what comes, in the way of this moment, until it ends; raises `CutError` when a filter asks for it."""
    passed_on = make_filter() if make_filter else bytes
    while data := await reader.read(CHUNK):
        await way.is_open.wait()
        if way.loses:
            continue
        if way.delay:
            await asyncio.sleep(way.delay)
        try:
            data = passed_on(data)
        except CutError as cut:
            writer.write(cut.passed)
            await writer.drain()
            raise
        way.passed += len(data)
        await _write(writer, data, way)
    with contextlib.suppress(OSError):
        if not writer.is_closing():
            writer.write_eof()


async def _write(writer: asyncio.StreamWriter, data: bytes, way: Way) -> None:
    while data and way.rate < math.inf:
        slice_ = max(1, int(way.rate / 10))
        writer.write(data[:slice_])
        data = data[slice_:]
        await asyncio.sleep(0.1)
    writer.write(data)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    end = writer.get_extra_info("socket")
    if end is not None and end.family != socket.AF_UNIX and not writer.is_closing():
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
    writer.transport.abort()
