from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from services.ingest.api import batching
from services.ingest.api.batching import BATCH_BYTES, Attempt, Sending, prepare, upload_id
from services.ingest.api.reading.parsed import Parsed
from shared.messages import Batch, Bounds, Kind, Mode, Origin, Part, Totals
from shared.reports import Report

SHA = "5e" * 32
NOW = datetime(2025, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
TOTALS = Totals(impressions=Decimal(9), clicks=Decimal(8), conversions=Decimal(7), cost=Decimal(2**70))
BOUNDS = Bounds(first_date=date(2024, 1, 1), last_date=date(2024, 2, 1), first_ad_group=1, last_ad_group=2)

REPORT = Report(
    encoding="utf-8", delimiter=",", header_line=1, header="date", columns=[], currency="EUR", notes=["No device."]
)

Prepare = Callable[..., Attempt]


@pytest.fixture
def prepared(tmp_path: Path) -> Prepare:
    """Prepare the attempt of a parsed file with these rows and rejections."""

    def prepared(rows: str, rejections: str = "", sending: Sending | None = None) -> Attempt:
        (tmp_path / "rows").write_text(rows)
        (tmp_path / "rejections").write_text(rejections)
        accepted, rejected = rows.count("\n"), rejections.count("\n")
        parsed = Parsed(
            kind=Kind.AD_GROUP_STATS,
            rows=tmp_path / "rows",
            rejections=tmp_path / "rejections",
            rows_read=accepted + rejected + 5,
            rows_accepted=accepted,
            rows_merged=5,
            rows_rejected=rejected,
            totals=TOTALS,
            bounds=BOUNDS,
            report=REPORT,
        )
        return prepare(sending or Sending("stats.csv", SHA, NOW), parsed)

    return prepared


def bodies(attempt: Attempt, part: Part) -> list[bytes]:
    return [batch.body for batch in attempt.batches() if batch.part is part]


def test_the_id_of_an_upload_is_the_same_in_every_process_and_version() -> None:
    plain = upload_id(SHA, Kind.AD_GROUP_STATS, Mode.UPSERT)

    assert plain == UUID("083a1ddf-72c6-51c7-b12c-98a997943011")
    assert plain.version == 5
    assert upload_id(SHA, Kind.AD_GROUP_STATS, Mode.UPSERT, "key") == UUID("005982c7-8411-5e9a-8bb2-85cbf8b09f9d")


def test_the_id_of_an_upload_differs_by_content_kind_mode_key_and_options() -> None:
    keys = [None, "", "key", "key\n", "Key", "locale=comma"]
    said = [(), ("locale=comma",), ("locale=point",), ("encoding=latin-1", "locale=comma")]
    variants = list(product([SHA, "5f" * 32], Kind, Mode, keys, said))

    assert len({upload_id(*variant) for variant in variants}) == len(variants)


def test_the_id_of_an_upload_depends_on_neither_its_name_nor_its_time(prepared: Prepare) -> None:
    first = prepared("a\n", sending=Sending("a.csv", SHA, NOW)).manifest
    again = prepared("a\n", sending=Sending("b.csv", SHA, NOW.replace(year=2026))).manifest

    assert first.upload_id == again.upload_id == upload_id(SHA, Kind.AD_GROUP_STATS, Mode.UPSERT)
    assert first.received_at != again.received_at


def test_the_manifest_repeats_what_was_understood_and_what_the_sender_said(prepared: Prepare) -> None:
    fixes = UUID(int=7)
    sending = Sending("x" * 300 + ".csv", SHA, NOW, Mode.ADD, "key", ("locale=comma",), fixes, "ann@example.org")
    manifest = prepared("a\nb\n", "c\n", sending).manifest

    said = ["locale=comma", f"fixes={fixes}"]
    assert manifest.upload_id == upload_id(SHA, Kind.AD_GROUP_STATS, Mode.ADD, "key", said)
    assert (manifest.fixes, manifest.sender, manifest.currency) == (fixes, "ann@example.org", "EUR")
    assert (manifest.kind, manifest.mode, manifest.origin) == (Kind.AD_GROUP_STATS, Mode.ADD, Origin.FILE)
    assert (manifest.received_at, manifest.content_sha256) == (NOW, SHA)
    assert manifest.filename == "x" * 255
    assert (manifest.rows_read, manifest.rows_accepted) == (8, 2)
    assert (manifest.rows_merged, manifest.rows_rejected) == (5, 1)
    assert (manifest.totals, manifest.bounds) == (TOTALS, BOUNDS)
    assert manifest.batches == 3


@pytest.mark.parametrize(("key", "keyed"), [(None, False), ("", True), ("key", True)])
def test_the_manifest_says_whether_a_key_was_sent(prepared: Prepare, key: str | None, *, keyed: bool) -> None:
    assert prepared("a\n", sending=Sending("a.csv", SHA, NOW, idempotency_key=key)).manifest.keyed is keyed


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10, 11, 12, 100, 10_000])
@pytest.mark.parametrize("lines", [0, 1, 9, 100])
def test_batches_are_whole_lines_numbered_from_0_that_add_up_to_the_files(
    prepared: Prepare, monkeypatch: pytest.MonkeyPatch, size: int, lines: int
) -> None:
    monkeypatch.setattr(batching, "BATCH_BYTES", size)
    rows = "".join(f"{line}\t{'é' * (line % 9)}\n" for line in range(100))
    rejections = "".join(f"{line}\tdate\t\\n\tis empty\n" for line in range(lines))
    attempt = prepared(rows, rejections)
    batches = list(attempt.batches())

    assert b"".join(bodies(attempt, Part.ROWS)).decode() == rows
    assert b"".join(bodies(attempt, Part.REJECTIONS)).decode() == rejections
    assert [batch.number for batch in batches] == list(range(attempt.manifest.batches))
    assert all(batch.manifest is attempt.manifest for batch in batches)
    assert all(batch.body.endswith(b"\n") for batch in batches)
    assert all(body[:size].count(b"\n") >= body.count(b"\n") - 1 for batch in batches if (body := batch.body))


def test_the_rows_come_before_the_rejections_and_never_share_a_batch(prepared: Prepare) -> None:
    attempt = prepared("a\n", "b\n")

    assert [(batch.part, batch.body) for batch in attempt.batches()] == [
        (Part.ROWS, b"a\n"),
        (Part.REJECTIONS, b"b\n"),
        (Part.REPORT, msgspec.json.encode(REPORT) + b"\n"),
    ]


def test_a_file_of_which_every_row_is_rejected_still_has_a_batch(prepared: Prepare) -> None:
    attempt = prepared("", "b\n")

    assert attempt.manifest.batches == 2
    assert bodies(attempt, Part.ROWS) == []
    assert bodies(attempt, Part.REJECTIONS) == [b"b\n"]


def test_batches_may_be_read_again_and_are_the_same(prepared: Prepare) -> None:
    attempt = prepared("a\nb\n" * 600_000, "c\n")

    assert len(list(attempt.batches())) == 5
    assert list(attempt.batches()) == list(attempt.batches())


def test_batches_are_about_a_mebibyte(prepared: Prepare) -> None:
    line = "x" * 1000 + "\n"
    sizes = [len(batch.body) for batch in prepared(line * 4000).batches() if batch.part is Part.ROWS]

    assert BATCH_BYTES == 2**20
    assert all(BATCH_BYTES <= size <= BATCH_BYTES + len(line) for size in sizes[:-1])
    assert sizes[-1] <= BATCH_BYTES


def test_the_hash_of_a_batch_tells_its_part_and_its_body_and_nothing_else(prepared: Prepare) -> None:
    manifest = prepared("a\n").manifest
    other = prepared("a\nb\n").manifest

    def sha256(part: Part, body: bytes, number: int = 0) -> bytes:
        return Batch(manifest=manifest, number=number, part=part, body=body).sha256

    assert len({sha256(part, body) for part in Part for body in (b"a\n", b"b\n", b"")}) == 9
    assert sha256(Part.ROWS, b"a\n") == sha256(Part.ROWS, b"a\n", 1)
    assert sha256(Part.ROWS, b"a\n") == Batch(manifest=other, number=0, part=Part.ROWS, body=b"a\n").sha256
    assert len(sha256(Part.ROWS, b"a\n")) == 32


def test_the_report_is_the_last_batch(tmp_path: Path) -> None:
    (tmp_path / "rows").write_text("1\n")
    (tmp_path / "rejections").write_text("2\tdate\t\tis empty\t,7\n")
    parsed = Parsed(
        kind=Kind.AD_GROUP_STATS,
        rows=tmp_path / "rows",
        rejections=tmp_path / "rejections",
        rows_read=2,
        rows_accepted=1,
        rows_merged=0,
        rows_rejected=1,
        totals=TOTALS,
        bounds=BOUNDS,
        report=REPORT,
    )

    sent = list(prepare(Sending("stats.csv", SHA, NOW), parsed).batches())

    assert [batch.part for batch in sent] == [Part.ROWS, Part.REJECTIONS, Part.REPORT]
    assert sent[0].manifest.batches == 3
    assert msgspec.json.decode(sent[2].body, type=Report) == REPORT
