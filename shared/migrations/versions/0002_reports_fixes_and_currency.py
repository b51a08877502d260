"""Keep how files were read, who sent them, their currency, refused lines as they stood, and what mends what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "upload", sa.Column("fixes", sa.Uuid(), nullable=True, comment="the upload whose rejected rows this one mends")
    )
    op.add_column(
        "attempt",
        sa.Column("sender", sa.Text(), nullable=True, comment="who sent it, as far as ingest could tell"),
    )
    op.add_column("attempt", sa.Column("currency", sa.Text(), nullable=True, comment="the code that the file states"))
    op.add_column(
        "attempt",
        sa.Column("report", postgresql.JSONB(), nullable=True, comment="how the file was read: shared.reports.Report"),
    )
    op.add_column(
        "rejection", sa.Column("text", sa.Text(), nullable=True, comment="the record as it stands in the file")
    )
    op.add_column(
        "dataset",
        sa.Column(
            "currency",
            sa.Text(),
            nullable=True,
            comment="the one currency of all data, from the first file that states one",
        ),
    )


def downgrade() -> None:
    op.drop_column("dataset", "currency")
    op.drop_column("rejection", "text")
    op.drop_column("attempt", "report")
    op.drop_column("attempt", "currency")
    op.drop_column("attempt", "sender")
    op.drop_column("upload", "fixes")
