"""Leave room for the next value of each stat beside the present one."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A changed row that finds room on its page needs no new entry in the index.
    op.execute("ALTER TABLE ad_group_stat SET (fillfactor = 50)")


def downgrade() -> None:
    op.execute("ALTER TABLE ad_group_stat RESET (fillfactor)")
