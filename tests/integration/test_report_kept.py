from dataclasses import dataclass
from datetime import UTC, date, datetime

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.consumer import handler
from shared.messages import Batch, Kind, MalformedMessageError, Part
from shared.reports import MappedColumn, Report
from tests.support.uploads import batches

REPORT = Report(
    encoding="utf-8",
    delimiter=";",
    header_line=3,
    header="Day;Cost",
    columns=[MappedColumn(column="date", header="Day")],
    warnings=["A \N{SNOWMAN}."],
)


@dataclass
class Sent:
    """The batches of an upload that ends with a report of this body."""

    body: bytes

    def batches(self) -> list[Batch]:
        row = (7, date(2025, 12, 31), 1, 10, 2, 0, 5)
        (rows,) = batches(Kind.AD_GROUP_STATS, [row], datetime(2026, 1, 1, tzinfo=UTC))
        manifest = msgspec.structs.replace(rows.manifest, batches=2, sender="ana", currency="EUR")
        return [
            msgspec.structs.replace(rows, manifest=manifest),
            Batch(manifest=manifest, number=1, part=Part.REPORT, body=self.body),
        ]


@pytest.mark.anyio
async def test_the_report_and_the_sender_are_kept_with_the_attempt(engine: AsyncEngine) -> None:
    for batch in Sent(msgspec.json.encode(REPORT) + b"\n").batches():
        await handler.take(engine, batch)
    async with engine.connect() as connection:
        kept = (await connection.execute(text("SELECT report, sender, currency, state FROM attempt"))).one()
    assert msgspec.convert(kept.report, Report) == REPORT
    assert (kept.sender, kept.currency, kept.state) == ("ana", "EUR", "complete")


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"{}\n", b"no json\n", b""])
async def test_a_report_that_is_none_is_no_batch(engine: AsyncEngine, body: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        await handler.take(engine, Sent(body).batches()[1])
