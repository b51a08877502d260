import asyncio
from uuid import UUID

import pytest

from services.query.dataset import Clock, Version

pytestmark = pytest.mark.anyio
EPOCH = UUID(int=1)


class Source:
    """A database whose version the test sets, and whose reads end when the test says so."""

    def __init__(self) -> None:
        self.number = 0
        self.reads = 0
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def read(self) -> Version:
        self.reads += 1
        seen = Version(EPOCH, self.number)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return seen


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_ask_before_a_read_begins_share_it() -> None:
    source = Source()
    clock = Clock(source.read)
    asking = [asyncio.create_task(clock.now()) for _ in range(50)]
    await settle()
    source.gate.set()
    assert {version.number for version in await asyncio.gather(*asking)} == {0}
    assert source.reads == 1


async def test_who_asks_while_a_read_is_under_way_gets_the_next_one() -> None:
    source = Source()
    clock = Clock(source.read)
    early = asyncio.create_task(clock.now())
    await settle()
    source.number = 1
    late = [asyncio.create_task(clock.now()) for _ in range(10)]
    await settle()
    source.gate.set()
    assert (await early).number == 0
    assert {version.number for version in await asyncio.gather(*late)} == {1}
    assert source.reads == 2


async def test_a_read_that_fails_fails_those_who_wait_for_it_and_no_others() -> None:
    source = Source()
    source.error = ConnectionError("away")
    clock = Clock(source.read)
    early = asyncio.create_task(clock.now())
    await settle()
    source.gate.set()
    with pytest.raises(ConnectionError):
        await early
    source.error = None
    assert (await clock.now()).number == 0


async def test_one_who_goes_away_takes_no_answer_from_the_others() -> None:
    source = Source()
    clock = Clock(source.read)
    asking = [asyncio.create_task(clock.now()) for _ in range(3)]
    await settle()
    asking[0].cancel()
    source.gate.set()
    assert [version.number for version in await asyncio.gather(*asking[1:])] == [0, 0]


def test_a_version_covers_itself_and_what_came_before_in_its_epoch() -> None:
    assert Version(EPOCH, 2).covers(Version(EPOCH, 2))
    assert Version(EPOCH, 2).covers(Version(EPOCH, 1))
    assert not Version(EPOCH, 1).covers(Version(EPOCH, 2))
    assert not Version(UUID(int=2), 3).covers(Version(EPOCH, 1))
