r"""What the ingest API and the consumer say to each other, independent of the transport.

A batch's body is text in PostgreSQL's COPY text format: a line a row, tabs between the columns of
`COLUMNS`, `\N` for null, backslash escapes, UTF-8. Counts are integers; conversions and cost are micros.
"""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import msgspec

SCHEMA_VERSION = 2
"""Raised when a consumer of the version before could no longer read what is published."""
OLDEST_SCHEMA_VERSION = 1
"""What is still read: while a deployment runs, the queue holds what the version before has published."""


class Kind(StrEnum):
    """What the rows of an upload describe."""

    CAMPAIGNS = "campaigns"
    AD_GROUPS = "ad_groups"
    AD_GROUP_STATS = "ad_group_stats"


class Mode(StrEnum):
    """How an upload's stats meet earlier ones: `upsert` replaces a key's value, `add` adds to it."""

    UPSERT = "upsert"
    ADD = "add"


class Origin(StrEnum):
    """Where an upload came from: a rename describes a campaign but does not make it exist."""

    FILE = "file"
    RENAME = "rename"


class Part(StrEnum):
    """What the rows of a batch are: accepted rows, rejected ones with their reasons, or the report.

    The report is one line of JSON, a `shared.reports.Report`.
    """

    ROWS = "rows"
    REJECTIONS = "rejections"
    REPORT = "report"


class Device(StrEnum):
    """A device class, as the ad platforms name it."""

    UNKNOWN = "UNKNOWN"
    MOBILE = "MOBILE"
    DESKTOP = "DESKTOP"
    TABLET = "TABLET"
    CONNECTED_TV = "CONNECTED_TV"
    OTHER = "OTHER"


DEVICE_CODES = {device: code for code, device in enumerate(Device)}
"""The small integers that stand for devices in batches and tables; new devices go last."""

COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.CAMPAIGNS: ("campaign_id", "name", "type"),
    Kind.AD_GROUPS: ("ad_group_id", "name", "campaign_id"),
    Kind.AD_GROUP_STATS: (
        "ad_group_id",
        "date",
        "device",
        "impressions",
        "clicks",
        "conversions",
        "cost",
    ),
}
"""The columns of a batch of accepted rows, in order."""

REJECTION_COLUMNS = ("line", "column", "value", "reason", "text")
"""The columns of a batch of rejected rows, in order."""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The sums over the accepted rows of a stats upload; conversions and cost in micros.

    Decimals, because sums may pass 64 bits; always whole numbers.
    """

    impressions: Decimal = Decimal(0)
    clicks: Decimal = Decimal(0)
    conversions: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The smallest and largest date and ad group of a stats upload, inclusive."""

    first_date: date
    last_date: date
    first_ad_group: int
    last_ad_group: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What every batch of an attempt says about the whole attempt, word for word the same.

    `rows_accepted` counts the entries (one a key), `rows_merged` the rows that were folded into one of
    them; read = accepted + merged + rejected + the report's rows of totals. `keyed` says that an
    Idempotency-Key was sent, `fixes` names the upload whose rejected rows this one mends, `currency` is the
    code that the file states (ISO 4217), and `sender` is who sent it, as far as ingest can tell.
    """

    upload_id: UUID
    received_at: datetime
    kind: Kind
    mode: Mode
    origin: Origin
    keyed: bool
    filename: str
    content_sha256: str
    batches: int
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    totals: Totals = Totals()
    bounds: Bounds | None = None
    fixes: UUID | None = None
    currency: str | None = None
    sender: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One queue message: a slice of one attempt, numbered from 0."""

    manifest: Manifest
    number: int
    part: Part
    body: bytes

    @property
    def sha256(self) -> bytes:
        """The receipt's proof of what was received."""
        return hashlib.sha256(self.part.encode() + b"\0" + self.body).digest()


class Rename(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="message"):
    """The command to give a campaign another name: an upload of one row, refused when there is no such campaign."""

    campaign_id: int
    batch: Batch


class Renamed(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="message"):
    """The answer to a rename; `found` is false when nobody has named the campaign."""

    found: bool
    name: str | None = None
    type: str | None = None


class Revert(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="message"):
    """The command to take an upload back: all its sendings up to the moment of the request."""

    revert_id: UUID
    upload_id: UUID
    requested_at: datetime


class Outcome(StrEnum):
    """What became of a revert."""

    REVERTED = "reverted"
    UNKNOWN = "unknown"
    COMPACTED = "compacted"
    IMPOSSIBLE = "impossible"


class Reverted(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="message"):
    """The answer to a revert, sent once the numbers are what they would be without the upload."""

    outcome: Outcome


Command = Rename | Revert
Answer = Renamed | Reverted


class MalformedMessageError(ValueError):
    """A message that no retry can mend; it belongs in the dead-letter queue, with this reason."""
