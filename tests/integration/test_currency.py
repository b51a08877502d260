"""All data are in one currency: what states another one fails, and everything else goes on."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.sent import LATER, clicks, outcome, send, stat, take_back

pytestmark = pytest.mark.anyio


async def known(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        found: str | None = await connection.scalar(text("SELECT currency FROM dataset"))
    return found


async def test_the_first_file_that_states_a_currency_states_it_for_all(engine: AsyncEngine) -> None:
    await send(engine, [stat(1, 1)], 1)
    assert await known(engine) is None
    await send(engine, [stat(2, 2)], 2, currency="EUR")
    assert await known(engine) == "EUR"
    other = await send(engine, [stat(3, 3)], 3, currency="USD")
    assert await outcome(engine, other) == (
        "failed",
        "It is in USD, but the data so far are in EUR; there can be one currency only.",
    )
    await send(engine, [stat(4, 4)], 4)
    assert await clicks(engine) == {1: 1, 2: 2, 4: 4}


async def test_a_setting_goes_before_the_first_file(engine: AsyncEngine) -> None:
    refused = await send(engine, [stat(1, 1)], 1, currency="EUR", setting="USD")
    assert (await outcome(engine, refused))[0] == "failed"
    await send(engine, [stat(2, 2)], 2, currency="USD", setting="USD")
    assert await clicks(engine) == {2: 2}
    assert await known(engine) == "USD"


async def test_when_all_that_stated_it_is_taken_back_another_may_be_stated(engine: AsyncEngine) -> None:
    mistake = await send(engine, [stat(1, 1)], 1, currency="USD")
    await take_back(engine, mistake)
    assert await known(engine) is None
    await send(engine, [stat(2, 2)], 2, currency="EUR")
    assert await clicks(engine) == {2: 2}
    again = await send(engine, [stat(1, 1)], LATER, currency="USD")
    assert (await outcome(engine, again))[0] == "failed"
    assert await clicks(engine) == {2: 2}


async def test_a_file_does_not_bring_back_a_fix_in_another_currency(engine: AsyncEngine) -> None:
    original = await send(engine, [stat(1, 1)], 1)
    await send(engine, [stat(2, 2)], 2, fixes=original, currency="USD")
    await take_back(engine, original)
    await send(engine, [stat(3, 3)], 3, currency="EUR")
    await send(engine, [stat(1, 1)], LATER)
    assert (await outcome(engine, original))[0] == "failed"
    assert await clicks(engine) == {3: 3}
