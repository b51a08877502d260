"""Whatever arrives, in whatever order, twice or in parts: at every quiet point the database equals the model."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.consumer import applying, commands, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from shared.database import create_writer
from shared.messages import Batch, Kind, Mode, Origin, Outcome, Rename, Renamed, Revert, Reverted
from tests.support.model import Model, Upload
from tests.support.uploads import NAMESPACE, batches

TABLES = """upload, attempt, receipt, revert, rejection, stat_entry, ad_group_entry, campaign_entry, ad_group_stat,
    ad_group, campaign, campaign_day"""
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2025, 12, 31)

names = st.sampled_from([None, "a", "b", "c"])
days = st.sampled_from([DAY, DAY + timedelta(1)])
stats = st.lists(
    st.tuples(st.integers(1, 3), days, st.integers(1, 2), *[st.integers(0, 99)] * 4),
    min_size=1,
    max_size=4,
    unique_by=lambda row: row[:3],
)
ad_groups = st.lists(
    st.tuples(st.integers(1, 3), names, st.sampled_from([None, 10, 20])),
    min_size=1,
    max_size=3,
    unique_by=lambda row: row[0],
)
campaigns = st.lists(
    st.tuples(st.sampled_from([10, 20, 30]), names, names), min_size=1, max_size=3, unique_by=lambda row: row[0]
)
contents = st.one_of(
    st.tuples(st.just(Kind.AD_GROUP_STATS), stats, st.sampled_from(Mode)),
    st.tuples(st.just(Kind.AD_GROUPS), ad_groups, st.just(Mode.UPSERT)),
    st.tuples(st.just(Kind.CAMPAIGNS), campaigns, st.just(Mode.UPSERT)),
)


class CrashedError(Exception):
    """What ends a transaction before its commit."""


class Attempt:
    """One sending of an upload, and which of its batches have been delivered."""

    def __init__(self, upload: Upload, tick: int, sent: list[Batch]) -> None:
        self.upload, self.tick, self.sent = upload, tick, sent
        self.delivered: set[int] = set()


class LedgerMachine(RuleBasedStateMachine):
    """Drives the consumer's own functions over a real database, and the model beside it."""

    url: str
    attempts = Bundle("attempts")
    reverts = Bundle("reverts")
    renames = Bundle("renames")

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.ids: dict[int, UUID] = {}
        self.ticks = 0
        self.sent: list[Attempt] = []
        self.loop = asyncio.Runner()
        self.engine = create_writer(self.url)
        self.applier = Applier(self.engine)
        self.loop.run(self._execute(f"TRUNCATE {TABLES}"))

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.be_quiet()
            self.loop.run(self.engine.dispose())
            self.loop.close()

    def tick(self, back: int) -> int:
        """Return a new point in time; `back` lets it lie before others that are known already."""
        self.ticks += 10
        return max(self.ticks - 10 * back, 0) * 1000 + self.ticks

    @rule(
        target=attempts,
        content=contents,
        cuts=st.integers(1, 3),
        key=st.sampled_from([None, None, "k"]),
        back=st.integers(0, 4),
    )
    def send(self, content: Any, cuts: int, key: str | None, back: int) -> Attempt:
        kind, rows, mode = content
        upload = next((known for known in self.model.uploads if self._same(known, kind, rows, mode, key)), None)
        if upload is None:
            upload = Upload(kind, mode, Origin.FILE, key is not None, tuple(rows))
            self.model.uploads.append(upload)
        return self._attempt(upload, cuts, back)

    @staticmethod
    def _same(known: Upload, kind: Kind, rows: list[Any], mode: Mode, key: str | None) -> bool:
        told = (known.kind, known.rows, known.mode, known.keyed, known.origin)
        return told == (kind, tuple(rows), mode, key is not None, Origin.FILE)

    @rule(target=attempts, attempt=attempts, cuts=st.integers(1, 3), back=st.integers(0, 4))
    def send_again(self, attempt: Attempt, cuts: int, back: int) -> Attempt:
        return self._attempt(attempt.upload, cuts, back)

    def _attempt(self, upload: Upload, cuts: int, back: int) -> Attempt:
        tick = self.tick(back)
        key = "k" if upload.keyed else None
        sent = batches(upload.kind, upload.rows, START + timedelta(seconds=tick), cuts=cuts, mode=upload.mode, key=key)
        self.ids[id(upload)] = sent[0].manifest.upload_id
        self.sent.append(Attempt(upload, tick, sent))
        return self.sent[-1]

    @rule(attempt=attempts, choice=st.integers(0, 2), crash=st.booleans())
    def deliver_one(self, attempt: Attempt, choice: int, *, crash: bool) -> None:
        self._deliver(attempt, attempt.sent[choice % len(attempt.sent)], crash=crash)

    @rule(attempt=attempts)
    def deliver_all(self, attempt: Attempt) -> None:
        for batch in reversed(attempt.sent):
            self._deliver(attempt, batch, crash=False)

    def _deliver(self, attempt: Attempt, batch: Batch, *, crash: bool) -> None:
        if crash:
            with pytest.raises(CrashedError):
                self.loop.run(self._stage_and_crash(batch))
            return
        self.loop.run(handler.take(self.engine, batch))
        attempt.delivered.add(batch.number)
        if len(attempt.delivered) == len(attempt.sent):
            attempt.upload.complete.add(attempt.tick)

    async def _stage_and_crash(self, batch: Batch) -> None:
        async with self.engine.begin() as connection:
            await handler.stage(connection, batch)
            raise CrashedError

    @rule(target=reverts, attempt=attempts, back=st.integers(0, 4))
    def request_revert(self, attempt: Attempt, back: int) -> tuple[Attempt, int, Revert]:
        tick = self.tick(back)
        revert_id = uuid5(NAMESPACE, f"revert {tick}")
        at = START + timedelta(seconds=tick)
        return attempt, tick, Revert(revert_id=revert_id, upload_id=self.ids[id(attempt.upload)], requested_at=at)

    @rule(revert=reverts)
    def deliver_revert(self, revert: tuple[Attempt, int, Revert]) -> None:
        attempt, tick, command = revert
        answer = self.loop.run(commands.obey(self.engine, self.applier, command))
        known = self.loop.run(self._known(command.upload_id))
        assert answer == Reverted(outcome=Outcome.REVERTED if known else Outcome.UNKNOWN)
        if known:
            attempt.upload.reverts.add(tick)

    @rule(target=renames, campaign=st.sampled_from([10, 20, 30]), name=st.sampled_from("xyz"), back=st.integers(0, 4))
    def request_rename(self, campaign: int, name: str, back: int) -> tuple[Upload, int, Rename]:
        tick = self.tick(back)
        rows = ((campaign, name, None),)
        batch = batches(
            Kind.CAMPAIGNS, rows, START + timedelta(seconds=tick), origin=Origin.RENAME, key=f"rename {tick}"
        )[0]
        upload = Upload(Kind.CAMPAIGNS, Mode.UPSERT, Origin.RENAME, keyed=True, rows=rows)
        return upload, tick, Rename(campaign_id=campaign, batch=batch)

    @rule(rename=renames)
    def deliver_rename(self, rename: tuple[Upload, int, Rename]) -> None:
        upload, tick, command = rename
        self.loop.run(self.applier.apply_ready(wait=True))
        exists = command.campaign_id in self.model.campaigns()
        if exists and upload not in self.model.uploads:
            self.model.uploads.append(upload)
        if exists:
            upload.complete.add(tick)
        answer = self.loop.run(commands.obey(self.engine, self.applier, command))
        name, kind = self.model.campaigns()[command.campaign_id] if exists else (None, None)
        assert answer == Renamed(found=exists, name=name, type=kind)

    @rule()
    def apply(self) -> None:
        self.loop.run(self.applier.apply_ready(wait=True))

    @rule()
    def crash_while_applying(self) -> None:
        with pytest.raises(CrashedError):
            self.loop.run(self._apply_and_crash())

    async def _apply_and_crash(self) -> None:
        async with self.engine.begin() as connection:
            await applying.apply_everything(connection)
            raise CrashedError

    @rule()
    def give_up_what_nobody_completes(self) -> None:
        janitor = Janitor(self.engine, timedelta(0), lambda: True)
        self.loop.run(janitor.tidy())
        for attempt in self.sent:
            if len(attempt.sent) - 1 not in attempt.delivered:
                attempt.delivered.clear()

    @rule()
    def be_quiet(self) -> None:
        """Apply what is ready, and hold the whole database against the model."""
        self.apply()
        found = self.loop.run(self._read())
        assert found["ad_group_stat"] == self.model.stats()
        assert found["ad_group"] == self.model.ad_groups()
        assert found["campaign"] == self.model.campaigns()
        assert found["campaign_day"] == self.model.rollup()

    async def _read(self) -> dict[str, Any]:
        async with self.engine.connect() as connection:
            metrics = "impressions, clicks, conversions, cost"
            stats = await _rows(connection, f"SELECT ad_group_id, date, device, {metrics} FROM ad_group_stat")
            days = await _rows(connection, f"SELECT campaign_id, date, {metrics} FROM campaign_day")
            ad_groups = await _rows(connection, "SELECT ad_group_id, name, campaign_id FROM ad_group")
            campaigns = await _rows(connection, "SELECT campaign_id, name, type FROM campaign")
        return {
            "ad_group_stat": {row[:3]: list(row[3:]) for row in stats},
            "ad_group": {row[0]: row[1:] for row in ad_groups},
            "campaign": {row[0]: row[1:] for row in campaigns},
            "campaign_day": {row[:2]: list(map(int, row[2:])) for row in days},
        }

    async def _known(self, upload_id: UUID) -> bool:
        async with self.engine.connect() as connection:
            query = text("SELECT EXISTS (SELECT FROM upload WHERE id = :id)")
            return bool(await connection.scalar(query, {"id": upload_id}))

    async def _execute(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))


async def _rows(connection: AsyncConnection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.execute(text(query))]


def test_at_every_quiet_point_the_database_equals_the_model(database_url: str) -> None:
    class Machine(LedgerMachine):
        url = database_url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
