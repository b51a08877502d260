"""What may be done to the bytes of a connection on their way through a proxy; each function returns a maker of
filters, which is called once for each connection.
"""

import struct
from collections.abc import Callable

from tests.faults.proxy import CutError, Filter, Way

CONFIRM = b"\x00\x3c\x00\x50"
"""Class and method of `basic.ack`; from the broker, that is the confirm of a publish."""
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's answer to COMMIT."""
BEGIN = b"BEGIN"
METHOD_FRAME = 1
FRAME_HEADER = struct.Struct(">BHI")


def cut_after(count: int) -> Callable[[], Filter]:
    """Return what resets a connection once so many bytes have passed."""

    def make() -> Filter:
        left = count

        def cut(data: bytes) -> bytes:
            nonlocal left
            if len(data) > left:
                raise CutError(data[:left])
            left -= len(data)
            return data

        return cut

    return make


def cut_at(words: bytes, nth: int = 1, *, held: Way | None = None) -> Callable[[], Filter]:
    """Return what resets a connection instead of passing on the nth occurrence of these bytes; with `held`, once it
    has passed them on, holds that way instead.
    """
    seen = 0

    def make() -> Filter:
        def cut(data: bytes) -> bytes:
            nonlocal seen
            if words not in data:
                return data
            seen += 1
            if seen != nth:
                return data
            if held is None:
                raise CutError(data[: data.index(words)])
            held.is_open.clear()
            return data

        return cut

    return make


def drop_confirms(after: int) -> Callable[[], Filter]:
    """Return what lets so many confirms of the broker pass, over all connections, and swallows the others."""
    passed = 0

    def make() -> Filter:
        rest = b""

        def drop(data: bytes) -> bytes:
            nonlocal rest, passed
            rest += data
            kept = []
            while frame := _first_frame(rest):
                rest = rest[len(frame) :]
                if frame[FRAME_HEADER.size :].startswith(CONFIRM) and frame[0] == METHOD_FRAME:
                    passed += 1
                    if passed > after:
                        continue
                kept.append(frame)
            return b"".join(kept)

        return drop

    return make


def _first_frame(data: bytes) -> bytes:
    """Return the first frame of AMQP, empty when it has not come whole yet."""
    if len(data) < FRAME_HEADER.size:
        return b""
    length = FRAME_HEADER.size + FRAME_HEADER.unpack_from(data)[2] + 1
    return data[:length] if len(data) >= length else b""
