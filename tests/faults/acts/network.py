"""Faults of the network: connections that break, fall silent, crawl, or are cut in the middle of something."""

import asyncio

from tests.faults.filters import cut_after, drop_confirms
from tests.faults.proxy import Proxy
from tests.faults.scenario import Act, expect
from tests.faults.stage import Stage


async def connections_reset(stage: Stage) -> None:
    """Every connection between our processes and their servers is reset, three times."""
    for _ in range(3):
        await asyncio.sleep(stage.chance.uniform(0.2, 1))
        broken = sum(way.reset() for way in _all(stage))
        expect(stage, broken, "a connection to reset")


def silent(server: str, seconds: float) -> Act:
    """No packet to or from a server arrives, for a while, and no connection breaks."""

    async def act(stage: Stage) -> None:
        for way in stage.network.to(server):
            way.hold()
        await asyncio.sleep(seconds if stage.patience == 1 else 45)
        stage.network.heal()

    return act


def one_way(server: str, *, up: bool) -> Act:
    """Packets to a server arrive and its answers do not, or the other way round."""

    async def act(stage: Stage) -> None:
        for way in stage.network.to(server):
            way.hold(up=up, down=not up)
        await asyncio.sleep(7)
        stage.network.heal()

    return act


async def crawling(stage: Stage) -> None:
    """Every connection passes 5 kB a second."""
    for way in _all(stage):
        way.slow(rate=5000)
    await asyncio.sleep(6)
    stage.network.heal()


async def cut_inside_frames(stage: Stage) -> None:
    """New connections are reset after some bytes, mostly amid a frame or a message, again and again."""
    for _ in range(4):
        for way in _all(stage):
            way.rob(up=cut_after(stage.chance.randint(500, 60_000)), down=cut_after(stage.chance.randint(500, 20_000)))
        await asyncio.sleep(0.8)


async def half_closed(stage: Stage) -> None:
    """Servers say that they have nothing more to say, and the connections stay open."""
    for way in _all(stage):
        way.half_close()
    await asyncio.sleep(2)


async def answers_lost(stage: Stage) -> None:
    """Clients of the ingest lose their connections before they see an answer, for a while."""
    for way in stage.network.to("http", "ingest"):
        way.rob(down=cut_after(0))
    await asyncio.sleep(2.5)
    for way in stage.network.to("http", "ingest"):
        way.rob()


async def confirms_dropped(stage: Stage) -> None:
    """The broker's confirms get lost after some: what was published is published again."""
    for way in stage.network.to("broker", "ingest"):
        way.rob(down=drop_confirms(stage.chance.randint(0, 6)))
    await asyncio.sleep(6)
    for way in stage.network.to("broker", "ingest"):
        way.rob()


def _all(stage: Stage) -> list[Proxy]:
    return [*stage.network.to("broker"), *stage.network.to("database")]
