"""Whichever way uploads are applied, each table holds the same afterwards, and so do the counts of each upload.

The same schedule runs several times: by the general rule alone, with each upload on a fast path of its own where its
condition allows one (those of several rows with a second session for their sums), the same by three appliers at once,
which write ahead of each other, and with small uploads applied together. Three appliers are held against the general
rule in transactions as small as theirs, since what is taken back between two of them is counted otherwise.

Few keys, few values and near bounds make all edges common: boxes that overlap without a common key, equal places,
values that stay, sums that are too large, uploads that are sent again, come late, are taken back, and ad groups that
are described in the same transaction.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import (
    commands,
    fast,
    fast_days,
    fast_sql,
    fold_sql,
    handler,
    planning,
    ready,
    sums_sql,
    together,
    together_sql,
)
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.levels import DAY as DAYS
from services.ingest.consumer.levels import LEVELS
from shared.database import create_writer
from shared.messages import Batch, Kind, Mode, Revert
from tests.support.sent import clicks as current_clicks
from tests.support.sent import send, stat, take_back
from tests.support.uploads import NAMESPACE, Row, batches

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2025, 12, 30)
HALF = 2**62
"""Two of these are more than a column holds."""

WAYS = (("general", "alone", "together"), ("general, in steps", "ahead"))
LEDGER = ("receipt", "attempt", "upload", "revert", "stat_entry", "ad_group_entry", "campaign_entry")
CURRENT = ("ad_group_stat", "ad_group", "campaign", *(level.table for level in LEVELS))

PATHS = {
    "fresh": fast_sql.WRITE_NEW,
    "latest word": fast_sql.WRITES[Mode.UPSERT],
    "one more": fast_sql.WRITES[Mode.ADD],
    "moved": fast_sql.DELTA,
    "touched": fast_sql.TOUCH,
    "moved by sums": sums_sql.add(DAYS),
    "touched by sums": sums_sql.TOUCH,
    "all of its dates": sums_sql.put(DAYS),
    "new by sums": fast_sql.ADD_THESE,
    "together": together_sql.WRITE,
    "ahead": fast_sql.EXPECTED,
    "general": fold_sql.FOLDS[0].write,
}
"""The statement by which each path, or a part of one, can be recognised."""


@dataclass(frozen=True)
class Send:
    """Send a file as if it had been received so many ticks before the latest; perhaps its last batch is delayed."""

    kind: Kind
    mode: Mode
    rows: tuple[Row, ...]
    back: int
    key: str | None
    is_delayed: bool = False


@dataclass(frozen=True)
class SendAgain:
    """Send one of the files so far once more."""

    which: int
    back: int


@dataclass(frozen=True)
class Arrive:
    """Let every delayed batch arrive."""


@dataclass(frozen=True)
class TakeBack:
    """Take one of the files so far back, which also applies what is ready."""

    which: int


@dataclass(frozen=True)
class Apply:
    """Apply what is ready, and compare."""


clicks = st.sampled_from([0, 1, 1, 2, 3, HALF])
some = st.integers(0, 1)
stats = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([DAY, DAY + timedelta(2)]), st.just(1), some, clicks, some, some),
    min_size=1,
    max_size=3,
    unique_by=lambda row: row[:3],
).map(tuple)
ad_groups = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([None, "a"]), st.sampled_from([None, 10, 20])),
    min_size=1,
    max_size=3,
    unique_by=lambda row: row[0],
).map(tuple)
backs = st.sampled_from([0, 0, 0, 1, 3, 5])
keys = st.sampled_from([None, None, None, "k"])
delays = st.sampled_from([False, False, True])
sends = st.builds(Send, st.just(Kind.AD_GROUP_STATS), st.sampled_from(Mode), stats, backs, keys, delays)
steps = st.one_of(
    sends,
    sends,
    sends,
    st.builds(Send, st.just(Kind.AD_GROUPS), st.just(Mode.UPSERT), ad_groups, backs, keys),
    st.builds(SendAgain, st.integers(0, 9), backs),
    st.builds(TakeBack, st.integers(0, 9)),
    st.builds(Arrive),
    st.builds(Apply),
    st.builds(Apply),
)
schedules = st.lists(steps, min_size=4, max_size=14)


def stated(mode: Mode, number: int, *keys: tuple[int, int]) -> Send:
    """Return a file of keys, each given by its ad group and by how many days it is after the first."""
    rows = tuple((ad_group, DAY + timedelta(day), 1, 0, number, 0, 0) for ad_group, day in keys)
    return Send(Kind.AD_GROUP_STATS, mode, rows, 0, None)


EVERY_PATH = [
    *(stated(Mode.UPSERT, 1, (1, 0)), Apply()),
    *(stated(Mode.UPSERT, 2, (1, 0), (2, 0)), Apply()),
    *(stated(Mode.ADD, 3, (2, 0), (3, 0)), Apply()),
]
"""What the random schedules may all miss: each path that an upload may take by itself."""

SEVERAL_NEAR = [
    *(stated(Mode.UPSERT, 1, (1, 2)), Apply(), stated(Mode.UPSERT, 1, (2, 0)), Apply()),
    *(stated(Mode.UPSERT, 1, (3, 4)), Apply(), stated(Mode.UPSERT, 2, (1, 2), (2, 0), (3, 4), (4, 6), (0, 3)), Apply()),
    *(stated(Mode.UPSERT, 3, (4, 6), (5, 6), (0, 3), (0, -1)), Apply()),
]
"""The region that an upload shares with several others reaches from the first to the last of them, both ways."""

SAID_AGAIN = [stated(Mode.UPSERT, 1, (1, 0)), Apply(), stated(Mode.UPSERT, 1, (1, 0), (2, 0)), Apply()]
"""What stays as it was must not be added to its day once more, though all that changed is new."""


ALL_OF_THE_DATES = [
    *(stated(Mode.UPSERT, 1, (1, 0), (2, 0), (3, 2)), Apply(), stated(Mode.UPSERT, 2, (1, 0), (2, 0)), Apply()),
    *(stated(Mode.UPSERT, 3, (1, 0), (3, 2)), Apply(), stated(Mode.UPSERT, 4, (1, 0), (2, 0), (3, 2), (1, 2)), Apply()),
    Send(Kind.AD_GROUPS, Mode.UPSERT, ((1, None, 10), (2, None, 10)), 0, None),
    *(stated(Mode.UPSERT, 5, (1, 0), (2, 0)), Apply(), stated(Mode.UPSERT, 6, (1, 0), (2, 0)), Apply()),
]
ALL_BUT_ONE = [
    *(stated(Mode.UPSERT, 1, (1, 0), (3, 0)), Apply(), stated(Mode.UPSERT, 2, (1, 0), (2, 0)), Apply()),
    *(stated(Mode.ADD, 3, (1, 2), (2, 2)), stated(Mode.UPSERT, 4, (1, 2), (2, 2)), Apply()),
    *(stated(Mode.UPSERT, 5, (1, 2), (2, 2), (2, 4)), Apply(), stated(Mode.ADD, 6, (1, 2), (2, 4)), Apply()),
]
AMID_OTHERS = [
    *(stated(Mode.UPSERT, 1, (1, 0), (1, 10)), Apply(), stated(Mode.UPSERT, 2, (1, 1), (1, 8)), Apply()),
    *(stated(Mode.UPSERT, 3, (1, 1), (1, 8)), Apply()),
]
"""Where an upload has all keys of its dates, its sums are the days; where it has not, or may not know, they are not.

But its first week and month may have other days before, and its last ones after.
"""


class Run:
    """One run of a schedule over an empty database."""

    def __init__(self, engine: AsyncEngine, appliers: int) -> None:
        self._engine = engine
        self._appliers = appliers
        self._applier = Applier(engine)
        self._sent: list[tuple[Send, UUID]] = []
        self._delayed: list[Batch] = []
        self._tick = 0

    async def follow(self, schedule: list[Any]) -> list[Any]:
        """Take every step and return what the tables held after each that applies."""
        async with self._engine.begin() as connection:
            for table in (*LEDGER, *CURRENT):
                await connection.execute(text(f"DELETE FROM {table}"))
        return [held for step in [*schedule, Arrive(), Apply()] if (held := await self._take(step)) is not None]

    async def _take(self, step: Any) -> Any:
        self._tick += 1
        if isinstance(step, Send):
            await self._send(step, step.back)
        elif isinstance(step, SendAgain) and self._sent:
            await self._send(self._sent[step.which % len(self._sent)][0], step.back)
        elif isinstance(step, Arrive):
            await self._arrive(self._delayed)
            self._delayed.clear()
        elif isinstance(step, TakeBack) and self._sent:
            upload_id = self._sent[step.which % len(self._sent)][1]
            revert = uuid5(NAMESPACE, f"revert {self._tick}")
            command = Revert(revert_id=revert, upload_id=upload_id, requested_at=self._at(0))
            await commands.obey(self._engine, self._applier, command)
            return await self._held()
        elif isinstance(step, Apply):
            await asyncio.gather(*(Applier(self._engine).apply_ready(wait=False) for _ in range(self._appliers)))
            await self._applier.apply_ready(wait=True)
            return await self._held()
        return None

    async def _send(self, step: Send, back: int) -> None:
        sent = batches(step.kind, step.rows, self._at(back), cuts=2, mode=step.mode, key=step.key)
        self._sent.append((step, sent[0].manifest.upload_id))
        # Of a file of one batch nothing would be known.
        first = 1 if step.is_delayed else len(sent)
        await self._arrive(sent[:first])
        self._delayed += sent[first:]

    async def _arrive(self, some: Sequence[Batch]) -> None:
        for batch in some:
            await handler.take(self._engine, batch)

    def _at(self, back: int) -> datetime:
        # Two steps have the same time now and then, so that the order is not decided by time alone.
        return START + timedelta(seconds=max(0, (self._tick - back) // 2 * 2))

    async def _held(self) -> dict[str, Any]:
        async with self._engine.connect() as connection:
            found = {}
            for table in CURRENT:
                found[table] = sorted(map(repr, await connection.execute(text(f"SELECT * FROM {table}"))))
            counts = "SELECT upload_id, received_at, state, keys_new, keys_changed FROM attempt"
            found["attempt"] = sorted(map(repr, await connection.execute(text(counts))))
            return found


@contextmanager
def only(way: str) -> Iterator[None]:
    """Let uploads be applied in one way only, the general rule where that does not do."""

    async def never(*_: Any, **__: Any) -> None:
        return None

    async def none(*_: Any) -> list[int]:
        return []

    with pytest.MonkeyPatch.context() as patch:
        if way != "together":
            patch.setattr(together, "choose", none)
        if way not in {"alone", "ahead"}:
            patch.setattr(fast, "fold", never)
        if way in {"ahead", "general, in steps"}:
            patch.setattr(ready, "MOST_ROWS", 2)
        patch.setattr(planning, "LARGE", 2 if way == "ahead" else 3)
        patch.setattr(planning, "MOST", 10_000)
        patch.setattr(fast_days, "LARGE", 2)
        yield


def test_every_way_of_applying_gives_the_same(database_url: str) -> None:
    engine = create_writer(database_url)
    taken = paths_taken(engine)

    with asyncio.Runner() as loop:

        @settings(max_examples=45, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(schedules)
        @example(EVERY_PATH)
        @example(SEVERAL_NEAR)
        @example(SAID_AGAIN)
        @example(ALL_OF_THE_DATES)
        @example(ALL_BUT_ONE)
        @example(AMID_OTHERS)
        def check(schedule: list[Any]) -> None:
            for rule, *ways in WAYS:
                by_rule, *others = [loop.run(follow(engine, schedule, way)) for way in (rule, *ways)]
                for other in others:
                    assert other == by_rule

        check()
        loop.run(engine.dispose())
    assert set(taken) == set(PATHS), taken


async def follow(engine: AsyncEngine, schedule: list[Any], way: str) -> list[Any]:
    with only(way):
        return await Run(engine, 3 if way == "ahead" else 0).follow(schedule)


def paths_taken(engine: AsyncEngine) -> Counter[str]:
    """Return what will count how often each path is taken."""
    taken: Counter[str] = Counter()
    parameter = re.compile("(?<!:):[a-z_]+")
    patterns = {path: re.compile(parameter.sub(r"\\$[0-9]+", re.escape(write))) for path, write in PATHS.items()}

    def see(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        taken.update(path for path, pattern in patterns.items() if pattern.search(statement))

    event.listen(engine.sync_engine, "before_cursor_execute", see)
    return taken


@pytest.mark.anyio
async def test_of_two_that_were_received_at_once_the_greater_id_is_the_latest_word(engine: AsyncEngine) -> None:
    words = sorted(([stat(1, number)] for number in (1, 2)), key=sent_id)
    for rows in reversed(words):
        await send(engine, rows, 5)
    assert await current_clicks(engine) == {1: words[-1][0][4]}


def sent_id(rows: list[Row]) -> UUID:
    return batches(Kind.AD_GROUP_STATS, rows, START)[0].manifest.upload_id


@pytest.mark.anyio
async def test_what_was_taken_back_before_it_was_complete_does_not_count(engine: AsyncEngine) -> None:
    first, last = batches(Kind.AD_GROUP_STATS, [stat(1, 1), stat(2, 2)], START, cuts=2)
    await handler.take(engine, first)
    await take_back(engine, first.manifest.upload_id)
    await handler.take(engine, last)
    await Applier(engine).apply_ready(wait=True)
    assert await current_clicks(engine) == {}
