"""Whatever arrives, in whatever order, twice or in parts: at every quiet point the database equals the model."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import commands, compacting, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from shared.database import create_writer
from shared.messages import Batch, Kind, Mode, Origin, Outcome, Rename, Renamed, Revert, Reverted
from tests.support.admission import Admission, Sending
from tests.support.coarse import coarsen
from tests.support.contents import CAMPAIGN_IDS, contents, currencies, keys, rows
from tests.support.crashing import BEFORE_COMMITS, dying_at
from tests.support.ledger import coarse_values, current_values, empty, is_known, states
from tests.support.model import Upload, fold
from tests.support.uploads import NAMESPACE, batches

START = datetime(2026, 1, 1, tzinfo=UTC)
SCHEDULES = 45
STEPS = 30

crashes = st.sampled_from([*[None] * 6, *BEFORE_COMMITS])


class Schedule:
    """Drives the consumer's own functions over a real database, and the model beside it."""

    def __init__(self, data: st.DataObject, engine: AsyncEngine, loop: asyncio.Runner) -> None:
        self.data, self.engine, self.loop = data, engine, loop
        self.applier = Applier(engine)
        self.admission = Admission()
        self.ticks = 0
        self.reverts: list[tuple[Upload, int, Revert]] = []
        self.renames: list[tuple[Sending, Rename]] = []

    def run(self) -> None:
        """Do some steps, and hold the database against the model at the end."""
        steps = [self.send] * 4 + [self.send_fix] * 4 + [self.send_again] * 2 + [self.deliver_one] * 2
        steps += [self.deliver_all] * 2 + [self.deliver_at_once, self.revert, self.revert, self.rename, self.rename]
        steps += [self.apply, self.compact, self.give_up_what_nobody_completes, self.be_quiet]
        self.loop.run(empty(self.engine))
        self.send()
        for _ in range(STEPS):
            self.pick(steps)()
        self.be_quiet()

    def pick(self, options: Sequence[Any]) -> Any:
        return self.data.draw(st.sampled_from(options))

    def tick(self, furthest: int = 4) -> int:
        """Return a new point in time, which may lie before others that are known already."""
        self.ticks += 10
        back = self.data.draw(st.integers(0, furthest))
        return max(self.ticks - 10 * back, 0) * 1000 + self.ticks

    def send(self) -> None:
        kind, mode, content = self.data.draw(contents)
        key = self.data.draw(keys)
        self._send(Upload(kind, mode, Origin.FILE, key is not None, content), self.data.draw(currencies))

    def send_fix(self) -> None:
        """Mend a file that was sent, or what another fix mends, or that fix itself."""
        upload = self.pick(self.admission.sendings).upload
        original = self.pick([upload.fixes or upload, upload])
        kind = self.pick([original.kind] * 6 + [*Kind])
        mode = original.mode if kind is Kind.AD_GROUP_STATS else Mode.UPSERT
        key = self.data.draw(keys)
        fix = Upload(kind, mode, Origin.FILE, key is not None, self.data.draw(rows[kind]), original)
        self._send(fix, self.data.draw(currencies))

    def send_again(self) -> None:
        upload = self.pick(self.admission.sendings).upload
        if upload.origin is Origin.FILE:
            self._send(upload, self.admission.currencies[upload])

    def _send(self, upload: Upload, currency: str | None) -> None:
        """Cut an upload into batches; one that says the same as an earlier one is that one again."""
        tick = self.tick()
        sent = batches(
            upload.kind,
            upload.rows,
            START + timedelta(seconds=tick),
            cuts=self.data.draw(st.integers(1, 3)),
            mode=upload.mode,
            key="k" if upload.keyed else None,
            fixes=self._id(upload.fixes) if upload.fixes else None,
            currency=currency,
        )
        known = [each.upload for each in self.admission.sendings if each.id == sent[0].manifest.upload_id]
        sending = Sending(known[0] if known else upload, tick, sent)
        self.admission.currencies.setdefault(sending.upload, currency)
        self.admission.sendings.append(sending)
        if self.pick([True, True, True, False]):
            self._deliver_all(sending)

    def _id(self, upload: Upload) -> UUID:
        return next(each.id for each in self.admission.sendings if each.upload is upload)

    def deliver_one(self) -> None:
        sending = self.pick(self.admission.sendings)
        batch = self.pick(sending.batches)
        with dying_at(self.data.draw(crashes)) as work:
            self.loop.run(handler.take(self.engine, batch))
        if work.survived:
            sending.deliver(batch.number)

    def deliver_all(self) -> None:
        self._deliver_all(self.pick(self.admission.sendings))

    def _deliver_all(self, sending: Sending) -> None:
        for batch in reversed(sending.batches):
            self.loop.run(handler.take(self.engine, batch))
            sending.deliver(batch.number)

    def deliver_at_once(self) -> None:
        """Deliver two sendings in parallel, each batch twice, while an applier is at work."""
        self._apply(None)
        some = {self.pick(self.admission.sendings), self.pick(self.admission.sendings)}
        # Of two currencies the first applied wins, and here either may be.
        both = [each for each in some if self.admission.currencies[each.upload] is None]
        self.loop.run(self._take_all([batch for each in both for batch in each.batches * 2]))
        for each in both:
            for batch in each.batches:
                each.deliver(batch.number)

    async def _take_all(self, delivered: list[Batch]) -> None:
        takes = [handler.take(self.engine, batch) for batch in delivered]
        await asyncio.gather(*takes, self.applier.apply_ready(wait=False))

    def revert(self) -> None:
        """Ask for an upload to be taken back, or deliver a request that was made earlier, perhaps once more."""
        if self.pick([True, True, False]) or not self.reverts:
            tick, sending = self.tick(), self.pick(self.admission.sendings)
            at = START + timedelta(seconds=tick)
            command = Revert(revert_id=uuid5(NAMESPACE, f"{tick}"), upload_id=sending.id, requested_at=at)
            self.reverts.append((sending.upload, tick, command))
        if self.pick([True, True, False]):
            self._take_back(*self.pick(self.reverts))

    def _take_back(self, upload: Upload, tick: int, command: Revert) -> None:
        known = self.loop.run(is_known(self.engine, command.upload_id))
        final = upload in self.admission.final
        expected = Outcome.UNKNOWN if not known else Outcome.COMPACTED if final else Outcome.REVERTED
        with dying_at(self.data.draw(crashes)) as work:
            answer = self.loop.run(commands.obey(self.engine, self.applier, command))
            assert answer == Reverted(outcome=expected)
        if expected is Outcome.REVERTED:
            self.admission.reverts.append((upload, tick))
            if work.survived:
                self.admission.settle()

    def rename(self) -> None:
        """Ask for a campaign to be renamed, or deliver a request that was made earlier, perhaps once more."""
        if self.pick([True, True, False]) or not self.renames:
            tick, row = self.tick(), (self.pick(CAMPAIGN_IDS), self.pick("xyz"), None)
            at = START + timedelta(seconds=tick)
            sent = batches(Kind.CAMPAIGNS, [row], at, origin=Origin.RENAME, key=f"rename {tick}")
            upload = Upload(Kind.CAMPAIGNS, Mode.UPSERT, Origin.RENAME, keyed=True, rows=(row,))
            self.renames.append((Sending(upload, tick, sent), Rename(campaign_id=row[0], batch=sent[0])))
        if self.pick([True, True, False]):
            self._rename(*self.pick(self.renames))

    def _rename(self, sending: Sending, command: Rename) -> None:
        self._apply(None)
        if command.campaign_id not in fold(self.admission.uploads)["campaigns"]:
            assert self.loop.run(commands.obey(self.engine, self.applier, command)) == Renamed(found=False)
            return
        crash = self.data.draw(crashes)
        with dying_at(crash) as work:
            answer = self.loop.run(commands.obey(self.engine, self.applier, command))
        if work.survived or crash not in {"receipted", "appended"}:
            self._know(sending)
        if work.survived:
            self.admission.settle()
            name, kind = fold(self.admission.uploads)["campaigns"][command.campaign_id]
            assert answer == Renamed(found=True, name=name, type=kind)

    def _know(self, rename: Sending) -> None:
        rename.deliver(0)
        if rename not in self.admission.sendings:
            self.admission.sendings.append(rename)
            self.admission.currencies[rename.upload] = None

    def apply(self) -> None:
        self._apply(self.data.draw(crashes))

    def _apply(self, crash: str | None) -> None:
        with dying_at(crash) as work:
            self.loop.run(self.applier.apply_ready(wait=True))
        if work.survived:
            self.admission.settle()

    def compact(self) -> None:
        tick = self.tick(furthest=15)
        before = START + timedelta(seconds=tick)
        with dying_at(self.data.draw(crashes)) as work:
            self.loop.run(compacting.compact(self.engine, before, None, lambda _: None))
        if work.survived:
            self.admission.compact(tick)
            self.be_quiet()

    def give_up_what_nobody_completes(self) -> None:
        self.loop.run(Janitor(self.engine, timedelta(0), lambda: True).tidy())
        for sending in self.admission.sendings:
            sending.give_up()

    def be_quiet(self) -> None:
        """Apply what is ready, and hold the whole database against the model."""
        self._apply(None)
        expected = fold(self.admission.uploads)
        assert self.loop.run(current_values(self.engine)) == expected
        assert self.loop.run(coarse_values(self.engine)) == coarsen(expected["rollup"])
        settled = {self._key(each): each.state for each in self.admission.sendings if each.state != "staging"}
        known = self.loop.run(states(self.engine))
        assert {key: known.get(key) for key in settled} == settled

    @staticmethod
    def _key(sending: Sending) -> tuple[UUID, datetime]:
        return sending.id, START + timedelta(seconds=sending.tick)


def test_at_every_quiet_point_the_database_equals_the_model(database_url: str) -> None:
    engine = create_writer(database_url)
    unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large]
    with asyncio.Runner() as loop:

        @settings(max_examples=SCHEDULES, deadline=None, suppress_health_check=unhurried)
        @given(st.data())
        def check(data: st.DataObject) -> None:
            Schedule(data, engine, loop).run()

        check()
        loop.run(engine.dispose())
