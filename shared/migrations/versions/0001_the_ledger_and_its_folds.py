"""Create the ledger and its folds."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ad_group",
        sa.Column("ad_group_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("ad_group_id", name=op.f("ad_group_pkey")),
    )
    op.create_index(op.f("ad_group_campaign_id_idx"), "ad_group", ["campaign_id"], unique=False)
    op.create_table(
        "ad_group_entry",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("ad_group_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
    )
    op.create_index(op.f("ad_group_entry_ad_group_id_idx"), "ad_group_entry", ["ad_group_id"], unique=False)
    op.create_index(op.f("ad_group_entry_attempt_id_idx"), "ad_group_entry", ["attempt_id"], unique=False)
    op.create_table(
        "ad_group_stat",
        sa.Column("ad_group_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("device", sa.SmallInteger(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("conversions", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ad_group_id", "date", "device", name=op.f("ad_group_stat_pkey")),
    )
    op.create_table(
        "campaign",
        sa.Column("campaign_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("campaign_pkey")),
    )
    op.create_table(
        "campaign_day",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("impressions", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("clicks", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("conversions", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("cost", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "date", name=op.f("campaign_day_pkey")),
    )
    op.create_table(
        "campaign_entry",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
    )
    op.create_index(op.f("campaign_entry_attempt_id_idx"), "campaign_entry", ["attempt_id"], unique=False)
    op.create_index(op.f("campaign_entry_campaign_id_idx"), "campaign_entry", ["campaign_id"], unique=False)
    op.create_table(
        "dataset",
        sa.Column("only_row", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False, comment="renewed on restore, so that no ETag names two bodies"),
        sa.CheckConstraint("only_row", name=op.f("dataset_only_row_check")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("dataset_pkey")),
    )
    op.create_table(
        "rejection",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("rejection_attempt_id_line_idx", "rejection", ["attempt_id", "line"], unique=False)
    op.create_table(
        "revert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "first_seen", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("revert_pkey")),
    )
    op.create_index(
        "revert_pending_idx", "revert", ["upload_id"], unique=False, postgresql_where=sa.text("applied_at IS NULL")
    )
    op.create_index(op.f("revert_upload_id_idx"), "revert", ["upload_id"], unique=False)
    op.create_table(
        "stat_entry",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("ad_group_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("device", sa.SmallInteger(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=False),
        sa.Column("conversions", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
    )
    op.create_index("stat_entry_attempt_id_idx", "stat_entry", ["attempt_id"], unique=False, postgresql_using="brin")
    op.create_table(
        "upload",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("keyed", sa.Boolean(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column(
            "attempt_id", sa.BigInteger(), nullable=True, comment="the applied attempt whose entries are this upload's"
        ),
        sa.Column(
            "place", sa.DateTime(timezone=True), nullable=True, comment="where this upload stands among the others"
        ),
        sa.Column("reverted_at", sa.DateTime(timezone=True), nullable=True, comment="the place of its last revert"),
        sa.Column("compacted", sa.Boolean(), server_default="false", nullable=False, comment="part of a base for good"),
        sa.CheckConstraint("kind IN ('campaigns', 'ad_groups', 'ad_group_stats')", name=op.f("upload_kind_check")),
        sa.CheckConstraint("mode IN ('upsert', 'add')", name=op.f("upload_mode_check")),
        sa.CheckConstraint("origin IN ('file', 'rename')", name=op.f("upload_origin_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("upload_pkey")),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "first_seen", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default="staging", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it failed or was abandoned"),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.Column("batches_seen", sa.Integer(), server_default="0", nullable=False),
        sa.Column("keys_new", sa.BigInteger(), nullable=True, comment="how many keys had no value before"),
        sa.Column("keys_changed", sa.BigInteger(), nullable=True, comment="how many keys had another value before"),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_merged", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("total_impressions", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("total_clicks", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("total_conversions", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("total_cost", sa.Numeric(precision=38, scale=0), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column("first_ad_group", sa.BigInteger(), nullable=True),
        sa.Column("last_ad_group", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('staging', 'complete', 'applied', 'failed', 'abandoned')", name=op.f("attempt_state_check")
        ),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name=op.f("attempt_upload_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("attempt_pkey")),
        sa.UniqueConstraint("upload_id", "received_at", name=op.f("attempt_upload_id_received_at_key")),
    )
    op.create_index(
        "attempt_ready_idx", "attempt", ["received_at"], unique=False, postgresql_where=sa.text("state = 'complete'")
    )
    op.create_index("attempt_received_at_idx", "attempt", ["received_at"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempt.id"], name=op.f("receipt_attempt_id_fkey")),
        sa.PrimaryKeyConstraint("attempt_id", "number", name=op.f("receipt_pkey")),
    )
    op.execute("INSERT INTO dataset (only_row, version, epoch) VALUES (true, 0, gen_random_uuid())")


def downgrade() -> None:
    op.drop_table("receipt")
    op.drop_index("attempt_received_at_idx", table_name="attempt")
    op.drop_index("attempt_ready_idx", table_name="attempt", postgresql_where=sa.text("state = 'complete'"))
    op.drop_table("attempt")
    op.drop_table("upload")
    op.drop_index("stat_entry_attempt_id_idx", table_name="stat_entry", postgresql_using="brin")
    op.drop_table("stat_entry")
    op.drop_index(op.f("revert_upload_id_idx"), table_name="revert")
    op.drop_index("revert_pending_idx", table_name="revert", postgresql_where=sa.text("applied_at IS NULL"))
    op.drop_table("revert")
    op.drop_index("rejection_attempt_id_line_idx", table_name="rejection")
    op.drop_table("rejection")
    op.drop_table("dataset")
    op.drop_index(op.f("campaign_entry_campaign_id_idx"), table_name="campaign_entry")
    op.drop_index(op.f("campaign_entry_attempt_id_idx"), table_name="campaign_entry")
    op.drop_table("campaign_entry")
    op.drop_table("campaign_day")
    op.drop_table("campaign")
    op.drop_table("ad_group_stat")
    op.drop_index(op.f("ad_group_entry_attempt_id_idx"), table_name="ad_group_entry")
    op.drop_index(op.f("ad_group_entry_ad_group_id_idx"), table_name="ad_group_entry")
    op.drop_table("ad_group_entry")
    op.drop_index(op.f("ad_group_campaign_id_idx"), table_name="ad_group")
    op.drop_table("ad_group")
