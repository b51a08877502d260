"""Find the fixes of an upload, and let old uploads be folded into a base."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        op.f("upload_fixes_idx"), "upload", ["fixes"], unique=False, postgresql_where=sa.text("fixes IS NOT NULL")
    )
    op.add_column(
        "dataset",
        sa.Column(
            "compacted_before",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="what was received earlier is part of a base",
        ),
    )
    op.drop_constraint(op.f("upload_origin_check"), "upload", type_="check")
    op.create_check_constraint(op.f("upload_origin_check"), "upload", "origin IN ('file', 'rename', 'base')")


def downgrade() -> None:
    op.drop_constraint(op.f("upload_origin_check"), "upload", type_="check")
    op.create_check_constraint(op.f("upload_origin_check"), "upload", "origin IN ('file', 'rename')")
    op.drop_column("dataset", "compacted_before")
    op.drop_index(op.f("upload_fixes_idx"), table_name="upload", postgresql_where=sa.text("fixes IS NOT NULL"))
