"""The tables, as Alembic compares them with the database.

Ledger: `upload`, `attempt`, `receipt`, `revert`, `rejection` and the three `*_entry` tables; append-only
but for superseded attempts. Current values, each a fold of the ledger: `campaign`, `ad_group`,
`ad_group_stat` and its rollups `campaign_day`, `campaign_week`, `campaign_month` and `total_day`.
Conversions and cost are micros everywhere.
"""

from datetime import date as day
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.messages import Kind, Mode, Origin

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    },
)

UNATTRIBUTED = -1
"""Stands for "no campaign known yet" in `campaign_day`; ids in files are never negative."""

UNATTRIBUTED_NAME = "Unattributed"

Timestamp = DateTime(timezone=True)
Micros = BigInteger
Wide = Numeric(38, 0)
"""Sums that may pass 64 bits."""


def _one_of(column: str, values: type[Kind | Mode] | tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


ORIGINS = (*Origin, "base")
"""Where an upload came from; a base is what a compaction has made of older ones."""

STATES = ("staging", "complete", "applied", "failed", "abandoned")
"""The states of an attempt, in the order it passes through them."""

upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("keyed", Boolean, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("attempt_id", BigInteger, comment="the applied attempt whose entries are this upload's"),
    Column("place", Timestamp, comment="where this upload stands among the others"),
    Column("reverted_at", Timestamp, comment="the place of its last revert"),
    Column("compacted", Boolean, nullable=False, server_default="false", comment="part of a base for good"),
    Column("fixes", Uuid, comment="the upload whose rejected rows this one mends"),
    _one_of("kind", Kind),
    _one_of("mode", Mode),
    _one_of("origin", ORIGINS),
    Index("upload_fixes_idx", "fixes", postgresql_where=text("fixes IS NOT NULL")),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("upload_id", Uuid, ForeignKey(upload.c.id), nullable=False),
    Column("received_at", Timestamp, nullable=False),
    Column("first_seen", Timestamp, nullable=False, server_default=func.clock_timestamp()),
    Column("state", Text, nullable=False, server_default="staging"),
    Column("reason", Text, comment="why it failed or was abandoned"),
    Column("last_seen", Timestamp, nullable=False, server_default=func.clock_timestamp()),
    Column("applied_at", Timestamp),
    Column("filename", Text, nullable=False),
    Column("sender", Text, comment="who sent it, as far as ingest could tell"),
    Column("currency", Text, comment="the code that the file states"),
    Column("report", JSONB, comment="how the file was read: shared.reports.Report"),
    Column("batches", Integer, nullable=False),
    Column("batches_seen", Integer, nullable=False, server_default="0"),
    Column("keys_new", BigInteger, comment="how many keys had no value before"),
    Column("keys_changed", BigInteger, comment="how many keys had another value before"),
    Column("rows_read", BigInteger, nullable=False),
    Column("rows_accepted", BigInteger, nullable=False),
    Column("rows_merged", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("total_impressions", Wide, nullable=False),
    Column("total_clicks", Wide, nullable=False),
    Column("total_conversions", Wide, nullable=False),
    Column("total_cost", Wide, nullable=False),
    Column("first_date", Date),
    Column("last_date", Date),
    Column("first_ad_group", BigInteger),
    Column("last_ad_group", BigInteger),
    _one_of("state", STATES),
    UniqueConstraint("upload_id", "received_at"),
    Index("attempt_ready_idx", "received_at", postgresql_where=text("state = 'complete'")),
    Index("attempt_received_at_idx", "received_at"),
)

receipt = Table(
    "receipt",
    metadata,
    Column("attempt_id", BigInteger, ForeignKey(attempt.c.id), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    PrimaryKeyConstraint("attempt_id", "number"),
)

revert = Table(
    "revert",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("upload_id", Uuid, nullable=False, index=True),
    Column("requested_at", Timestamp, nullable=False),
    Column("first_seen", Timestamp, nullable=False, server_default=func.clock_timestamp()),
    Column("applied_at", Timestamp),
    Index("revert_pending_idx", "upload_id", postgresql_where=text("applied_at IS NULL")),
)

rejection = Table(
    "rejection",
    metadata,
    Column("attempt_id", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("column", Text),
    Column("value", Text),
    Column("reason", Text, nullable=False),
    Column("text", Text, comment="the record as it stands in the file"),
    Index("rejection_attempt_id_line_idx", "attempt_id", "line"),
)

campaign_entry = Table(
    "campaign_entry",
    metadata,
    Column("attempt_id", BigInteger, nullable=False, index=True),
    Column("campaign_id", BigInteger, nullable=False, index=True),
    Column("name", Text),
    Column("type", Text),
)

ad_group_entry = Table(
    "ad_group_entry",
    metadata,
    Column("attempt_id", BigInteger, nullable=False, index=True),
    Column("ad_group_id", BigInteger, nullable=False, index=True),
    Column("name", Text),
    Column("campaign_id", BigInteger),
)


def _stat_columns() -> list[Column[Any]]:
    return [
        Column("ad_group_id", BigInteger, nullable=False),
        Column("date", Date, nullable=False),
        Column("device", SmallInteger, nullable=False),
        Column("impressions", BigInteger, nullable=False),
        Column("clicks", BigInteger, nullable=False),
        Column("conversions", Micros, nullable=False),
        Column("cost", Micros, nullable=False),
    ]


stat_entry = Table(
    "stat_entry",
    metadata,
    Column("attempt_id", BigInteger, nullable=False),
    *_stat_columns(),
    Index("stat_entry_attempt_id_idx", "attempt_id", postgresql_using="brin"),
)

campaign = Table(
    "campaign",
    metadata,
    Column("campaign_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text),
    Column("type", Text),
)

ad_group = Table(
    "ad_group",
    metadata,
    Column("ad_group_id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text),
    Column("campaign_id", BigInteger, index=True),
)

ad_group_stat = Table(
    "ad_group_stat",
    metadata,
    *_stat_columns(),
    PrimaryKeyConstraint("ad_group_id", "date", "device"),
)


def _sums() -> list[Column[Decimal]]:
    return [Column(name, Wide, nullable=False) for name in ("impressions", "clicks", "conversions", "cost")]


def _campaign_sums(name: str, date: Column[day]) -> Table:
    key = Column("campaign_id", BigInteger, nullable=False)
    return Table(name, metadata, key, date, *_sums(), PrimaryKeyConstraint("campaign_id", "date"))


campaign_day = _campaign_sums("campaign_day", Column("date", Date, nullable=False, index=True))
campaign_week = _campaign_sums("campaign_week", Column("date", Date, nullable=False, comment="its Monday"))
campaign_month = _campaign_sums("campaign_month", Column("date", Date, nullable=False, comment="its first day"))

total_day = Table("total_day", metadata, Column("date", Date, primary_key=True), *_sums())

dataset = Table(
    "dataset",
    metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("epoch", Uuid, nullable=False, comment="renewed on restore, so that no ETag names two bodies"),
    Column("currency", Text, comment="the one currency of all data, from the first file that states one"),
    Column("compacted_before", Timestamp, comment="what was received earlier is part of a base"),
    Column("coarse_version", BigInteger, nullable=False, server_default="0", comment="of the coarser rollups"),
    CheckConstraint("only_row", name="only_row"),
)
