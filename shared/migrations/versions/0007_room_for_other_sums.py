"""Leave room in the pages of the rollups, so that a changed sum stays in its page and no index learns of it."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLLUPS = ("campaign_day", "campaign_week", "campaign_month", "total_day")


def upgrade() -> None:
    for table in ROLLUPS:
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 50)")


def downgrade() -> None:
    for table in ROLLUPS:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
