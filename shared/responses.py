"""Answers in which numbers are exact."""

from typing import Any

import msgspec
from litestar import Response
from litestar.enums import MediaType
from litestar.types import Serializer
from typing_extensions import override

from shared.errors import MEDIA_TYPE

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def encode(content: object) -> bytes:
    """Return content as JSON."""
    return _ENCODER.encode(content)


class ExactResponse(Response[Any]):
    """A response whose decimals are JSON numbers with all their digits."""

    @override
    def render(self, content: Any, media_type: str, enc_hook: Serializer = lambda value: value) -> bytes:
        if media_type in {MediaType.JSON, MEDIA_TYPE}:
            return encode(content)
        return super().render(content, media_type, enc_hook)
