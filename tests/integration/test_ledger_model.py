"""Whatever arrives, in whatever order, twice or in parts: at every quiet point the database equals the model."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from services.ingest.consumer import commands, compacting, handler
from services.ingest.consumer.applier import Applier
from services.ingest.consumer.janitor import Janitor
from shared.database import create_writer
from shared.messages import Batch, Kind, Mode, Origin, Outcome, Rename, Renamed, Revert, Reverted
from tests.support.admission import Admission, Sending
from tests.support.contents import CAMPAIGN_IDS, Rows, contents, currencies, keys, rows
from tests.support.crashing import BEFORE_COMMITS, dying_at
from tests.support.ledger import coarse_values, current_values, empty, is_known, states
from tests.support.model import Upload, coarsen, fold
from tests.support.uploads import NAMESPACE, batches

START = datetime(2026, 1, 1, tzinfo=UTC)

backs = st.integers(0, 4)
crashes = st.sampled_from([None, None, None, *BEFORE_COMMITS])


@dataclass(frozen=True)
class How:
    """In how many batches a file is sent, before how many known ones its place is, and whether it arrives at once."""

    cuts: int
    back: int
    arrives: bool


hows = st.builds(How, st.integers(1, 3), backs, st.booleans())


class LedgerMachine(RuleBasedStateMachine):
    """Drives the consumer's own functions over a real database, and the model beside it."""

    url: str
    sendings = Bundle("sendings")
    reverts = Bundle("reverts")
    renames = Bundle("renames")

    @initialize()
    def begin(self) -> None:
        self.admission = Admission()
        self.ticks = 0
        self.loop = asyncio.Runner()
        self.engine = create_writer(self.url)
        self.applier = Applier(self.engine)
        self.loop.run(empty(self.engine))

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.be_quiet()
            self.loop.run(self.engine.dispose())
            self.loop.close()

    def tick(self, back: int) -> int:
        """Return a new point in time; `back` lets it lie before others that are known already."""
        self.ticks += 10
        return max(self.ticks - 10 * back, 0) * 1000 + self.ticks

    @rule(target=sendings, content=contents, how=hows, key=keys, currency=currencies)
    def send(self, content: Any, how: How, key: str | None, currency: str | None) -> Sending:
        kind, mode, rows = content
        return self._send(Upload(kind, mode, Origin.FILE, key is not None, rows), currency, how)

    @rule(target=sendings, original=sendings, data=st.data(), how=hows, key=keys, currency=currencies)
    def send_fix(self, original: Sending, data: Any, how: How, key: str | None, currency: str | None) -> Sending:
        kind = data.draw(st.sampled_from([original.upload.kind] * 6 + [*Kind]), label="kind")
        fixed: Rows = data.draw(rows[kind], label="rows")
        mode = original.upload.mode if kind is Kind.AD_GROUP_STATS else Mode.UPSERT
        fix = Upload(kind, mode, Origin.FILE, key is not None, fixed, original.upload)
        return self._send(fix, currency, how)

    @rule(target=sendings, sending=sendings, how=hows)
    def send_again(self, sending: Sending, how: How) -> Sending:
        return self._send(sending.upload, self.admission.currencies[sending.upload], how)

    def _send(self, upload: Upload, currency: str | None, how: How) -> Sending:
        """Cut an upload into batches; one that says the same as an earlier one is that one again."""
        tick = self.tick(how.back)
        sent = batches(
            upload.kind,
            upload.rows,
            START + timedelta(seconds=tick),
            cuts=how.cuts,
            mode=upload.mode,
            key="k" if upload.keyed else None,
            fixes=self._id(upload.fixes) if upload.fixes else None,
            currency=currency,
        )
        known = [each.upload for each in self.admission.sendings if each.id == sent[0].manifest.upload_id]
        sending = Sending(known[0] if known else upload, tick, sent)
        self.admission.currencies.setdefault(sending.upload, currency)
        self.admission.sendings.append(sending)
        if how.arrives:
            self._deliver_all(sending)
        return sending

    def _id(self, upload: Upload) -> UUID:
        return next(each.id for each in self.admission.sendings if each.upload is upload)

    @rule(sending=sendings, choice=st.integers(0, 2), crash=crashes)
    def deliver_one(self, sending: Sending, choice: int, crash: str | None) -> None:
        batch = sending.batches[choice % len(sending.batches)]
        with dying_at(crash) as work:
            self.loop.run(handler.take(self.engine, batch))
        if work.survived:
            sending.deliver(batch.number)

    @rule(sending=sendings)
    def deliver_all(self, sending: Sending) -> None:
        self._deliver_all(sending)

    def _deliver_all(self, sending: Sending) -> None:
        for batch in reversed(sending.batches):
            self.loop.run(handler.take(self.engine, batch))
            sending.deliver(batch.number)

    @rule(sending=sendings, other=sendings)
    def deliver_at_once(self, sending: Sending, other: Sending) -> None:
        """Deliver two sendings in parallel, each batch twice, while an applier is at work."""
        self.apply(None)
        both = [each for each in {sending, other} if self.admission.currencies[each.upload] is None]
        self.loop.run(self._take_all([batch for each in both for batch in each.batches * 2]))
        for each in both:
            for batch in each.batches:
                each.deliver(batch.number)

    async def _take_all(self, delivered: list[Batch]) -> None:
        takes = [handler.take(self.engine, batch) for batch in delivered]
        await asyncio.gather(*takes, self.applier.apply_ready(wait=False))

    @rule(target=reverts, sending=sendings, back=backs)
    def request_revert(self, sending: Sending, back: int) -> tuple[Upload, int, Revert]:
        tick = self.tick(back)
        at = START + timedelta(seconds=tick)
        command = Revert(revert_id=uuid5(NAMESPACE, f"{tick}"), upload_id=sending.id, requested_at=at)
        return sending.upload, tick, command

    @rule(revert=reverts, crash=crashes)
    def deliver_revert(self, revert: tuple[Upload, int, Revert], crash: str | None) -> None:
        upload, tick, command = revert
        known = self.loop.run(is_known(self.engine, command.upload_id))
        final = upload in self.admission.final
        expected = Outcome.UNKNOWN if not known else Outcome.COMPACTED if final else Outcome.REVERTED
        with dying_at(crash) as work:
            answer = self.loop.run(commands.obey(self.engine, self.applier, command))
            assert answer == Reverted(outcome=expected)
        if expected is Outcome.REVERTED:
            self.admission.reverts.append((upload, tick))
        if work.survived and expected is Outcome.REVERTED:
            self.admission.settle()

    @rule(target=renames, campaign=st.sampled_from(CAMPAIGN_IDS), name=st.sampled_from("xyz"), back=backs)
    def request_rename(self, campaign: int, name: str, back: int) -> tuple[Sending, Rename]:
        tick = self.tick(back)
        row = (campaign, name, None)
        at = START + timedelta(seconds=tick)
        sent = batches(Kind.CAMPAIGNS, [row], at, origin=Origin.RENAME, key=f"rename {tick}")
        upload = Upload(Kind.CAMPAIGNS, Mode.UPSERT, Origin.RENAME, keyed=True, rows=(row,))
        return Sending(upload, tick, sent), Rename(campaign_id=campaign, batch=sent[0])

    @rule(rename=renames, crash=crashes)
    def deliver_rename(self, rename: tuple[Sending, Rename], crash: str | None) -> None:
        sending, command = rename
        self.apply(None)
        if command.campaign_id not in fold(self.admission.uploads)["campaigns"]:
            answer = self.loop.run(commands.obey(self.engine, self.applier, command))
            assert answer == Renamed(found=False)
            return
        with dying_at(crash) as work:
            answer = self.loop.run(commands.obey(self.engine, self.applier, command))
        if work.survived or crash not in {"receipted", "appended"}:
            self._know_rename(sending)
        if work.survived:
            self.admission.settle()
            name, kind = fold(self.admission.uploads)["campaigns"][command.campaign_id]
            assert answer == Renamed(found=True, name=name, type=kind)

    def _know_rename(self, sending: Sending) -> None:
        sending.deliver(0)
        if sending not in self.admission.sendings:
            self.admission.sendings.append(sending)
            self.admission.currencies[sending.upload] = None

    @rule(crash=crashes)
    def apply(self, crash: str | None) -> None:
        with dying_at(crash) as work:
            self.loop.run(self.applier.apply_ready(wait=True))
        if work.survived:
            self.admission.settle()

    @rule(back=st.integers(2, 12), crash=crashes)
    def compact(self, back: int, crash: str | None) -> None:
        tick = self.tick(back)
        before = START + timedelta(seconds=tick)
        with dying_at(crash) as work:
            self.loop.run(compacting.compact(self.engine, before, None, lambda _: None))
        if work.survived:
            self.admission.compact(tick)
            self.be_quiet()

    @rule()
    def give_up_what_nobody_completes(self) -> None:
        janitor = Janitor(self.engine, timedelta(0), lambda: True)
        self.loop.run(janitor.tidy())
        for sending in self.admission.sendings:
            sending.give_up()

    @rule()
    def be_quiet(self) -> None:
        """Apply what is ready, and hold the whole database against the model."""
        self.apply(None)
        expected = fold(self.admission.uploads)
        assert self.loop.run(current_values(self.engine)) == expected
        assert self.loop.run(coarse_values(self.engine)) == coarsen(expected["rollup"])
        known = self.loop.run(states(self.engine))
        for sending in self.admission.sendings:
            if sending.state != "staging":
                assert known[sending.id, START + timedelta(seconds=sending.tick)] == sending.state


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
