"""Know whether the coarser rollups are up to date, which code of before them leaves as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column(
        "coarse_version", sa.BigInteger(), server_default="0", nullable=False, comment="of the coarser rollups"
    )
    op.add_column("dataset", column)


def downgrade() -> None:
    op.drop_column("dataset", "coarse_version")
