"""Appliers that have to wait for their turn, and so write ahead what they can."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import ahead, claims

lock = claims.lock


async def _never_at_once(connection: AsyncConnection, *, wait: bool) -> bool:
    return wait and await lock(connection, wait=True)


@contextmanager
def writing_ahead(rows: int = 1) -> Iterator[None]:
    """Let nobody apply at once who can leave it to others, and so many rows be enough to write ahead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claims, "lock", _never_at_once)
        patch.setattr(ahead, "LARGE", rows)
        yield
