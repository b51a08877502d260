"""An upload taken back after a hundred others restores exactly the numbers of a database that never saw it."""

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import handler
from services.ingest.consumer.applier import Applier
from shared.database import create_writer
from shared.messages import Batch, Kind, Mode
from tests.support.databases import database
from tests.support.ledger import current_values
from tests.support.sent import DAY, START, take_back
from tests.support.uploads import batches

pytestmark = pytest.mark.anyio

OTHERS = 100
OWN: dict[Kind, tuple[Any, ...]] = {
    Kind.AD_GROUP_STATS: (9, DAY, 1, 1, 2, 3, 4),
    Kind.AD_GROUPS: (9, "only here", 20),
    Kind.CAMPAIGNS: (40, "only here", None),
}
"""What only the upload in question speaks about, so that taking it back is seen."""


def rows(chance: random.Random, kind: Kind) -> list[tuple[Any, ...]]:
    """Return random rows over few keys, so that most uploads speak about the same ones."""
    if kind is Kind.CAMPAIGNS:
        return [(campaign, chance.choice([None, "a", "b"]), chance.choice([None, "x"])) for campaign in (10, 20, 30)]
    if kind is Kind.AD_GROUPS:
        chosen = chance.sample(range(1, 9), 3)
        return [(group, chance.choice([None, "g", "h"]), chance.choice([None, 10, 20])) for group in chosen]
    keys = [(group, DAY + timedelta(day), device) for group in range(1, 9) for day in range(3) for device in (1, 2)]
    return [(*key, *(chance.randrange(10**6) for _ in range(4))) for key in chance.sample(keys, 12)]


def uploads(chance: random.Random, first: tuple[Kind, Mode]) -> list[list[Batch]]:
    """Return the batches of the upload in question, and those of a hundred others, a third of them fixes."""
    made: list[list[Batch]] = []
    for second in range(OTHERS + 1):
        kind, mode = (
            first
            if second == 0
            else chance.choice(
                [
                    (Kind.AD_GROUP_STATS, Mode.UPSERT),
                    (Kind.AD_GROUP_STATS, Mode.ADD),
                    (Kind.AD_GROUPS, Mode.UPSERT),
                    (Kind.CAMPAIGNS, Mode.UPSERT),
                ]
            )
        )
        alike = [
            each[0].manifest for each in made[1:] if (each[0].manifest.kind, each[0].manifest.mode) == (kind, mode)
        ]
        fixes = chance.choice(alike).upload_id if second and alike and chance.random() < 1 / 3 else None
        at = START + timedelta(seconds=second)
        said = rows(chance, kind) + ([OWN[kind]] if second == 0 else [])
        made.append(batches(kind, said, at, cuts=2, mode=mode, fixes=fixes))
    return made


async def load(engine: AsyncEngine, sent: Iterable[Batch]) -> None:
    for batch in sent:
        await handler.take(engine, batch)
    await Applier(engine).apply_ready(wait=True)


@pytest.fixture
def other_url(postgres: str, template: str) -> Iterator[str]:
    """The address of a database that never saw the upload."""
    with database(postgres, template) as url:
        yield url


@pytest.mark.parametrize(
    "first",
    [
        (Kind.AD_GROUP_STATS, Mode.UPSERT),
        (Kind.AD_GROUP_STATS, Mode.ADD),
        (Kind.AD_GROUPS, Mode.UPSERT),
        (Kind.CAMPAIGNS, Mode.UPSERT),
    ],
)
async def test_an_upload_taken_back_after_a_hundred_others_restores_the_numbers_without_it(
    first: tuple[Kind, Mode], engine: AsyncEngine, other_url: str
) -> None:
    chance = random.Random(str(first))
    mistake, *others = uploads(chance, first)
    for batch in mistake:
        await handler.take(engine, batch)
    in_any_order = [batch for other in others for batch in other]
    chance.shuffle(in_any_order)
    await load(engine, in_any_order[: len(in_any_order) // 2])
    await load(engine, in_any_order[len(in_any_order) // 2 :])
    with_it = await current_values(engine)
    await take_back(engine, mistake[0].manifest.upload_id)
    never = create_writer(other_url)
    await load(never, [batch for other in others for batch in other])
    without_it = await current_values(never)
    await never.dispose()
    assert await current_values(engine) == without_it
    assert with_it != without_it
