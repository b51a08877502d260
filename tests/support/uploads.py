"""Uploads made by hand, cut into batches as a test likes."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from shared.messages import COLUMNS, Batch, Bounds, Kind, Manifest, Mode, Origin, Part, Totals

NAMESPACE = UUID(int=7)

Stat = tuple[int, date, int, int, int, int, int]
"""ad group, date, device code, impressions, clicks, conversions in micros, cost in micros"""

Row = Sequence[Any]


def batches(
    kind: Kind,
    rows: Sequence[Row],
    received_at: datetime,
    *,
    cuts: int = 1,
    mode: Mode = Mode.UPSERT,
    origin: Origin = Origin.FILE,
    key: str | None = None,
    fixes: UUID | None = None,
    currency: str | None = None,
) -> list[Batch]:
    """Return the batches of one attempt: `rows` in the columns of `shared.messages.COLUMNS`, in about `cuts` parts."""
    lines = [_line(row) for row in rows]
    content = hashlib.sha256("".join(lines).encode()).hexdigest()
    bodies = [body for body in ("".join(lines[cut::cuts]).encode() for cut in range(cuts)) if body]
    manifest = Manifest(
        upload_id=uuid5(NAMESPACE, f"{content} {kind} {mode} {key} {fixes} {currency}"),
        received_at=received_at,
        kind=kind,
        mode=mode,
        origin=origin,
        keyed=key is not None,
        filename=f"{kind}.csv",
        content_sha256=content,
        batches=len(bodies),
        rows_read=len(rows),
        rows_accepted=len(rows),
        rows_merged=0,
        rows_rejected=0,
        totals=_totals(rows) if kind is Kind.AD_GROUP_STATS else Totals(),
        bounds=_bounds(rows) if kind is Kind.AD_GROUP_STATS else None,
        fixes=fixes,
        currency=currency,
    )
    return [Batch(manifest=manifest, number=n, part=Part.ROWS, body=body) for n, body in enumerate(bodies)]


def _line(row: Row) -> str:
    return "\t".join("\\N" if value is None else str(value) for value in row) + "\n"


def _totals(rows: Sequence[Row]) -> Totals:
    names = COLUMNS[Kind.AD_GROUP_STATS][3:]
    return Totals(**{name: Decimal(sum(row[3 + i] for row in rows)) for i, name in enumerate(names)})


def _bounds(rows: Sequence[Row]) -> Bounds:
    dates = sorted(row[1] for row in rows)
    ad_groups = sorted(row[0] for row in rows)
    return Bounds(first_date=dates[0], last_date=dates[-1], first_ad_group=ad_groups[0], last_ad_group=ad_groups[-1])
