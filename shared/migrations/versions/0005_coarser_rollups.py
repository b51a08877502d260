"""Keep each campaign's weeks and months and the total of each day, so that reads add up little."""

from decimal import Decimal

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WEEKS = """
    INSERT INTO campaign_week (campaign_id, date, impressions, clicks, conversions, cost)
    SELECT campaign_id, date_trunc('week', date)::date, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM campaign_day GROUP BY 1, 2 ORDER BY 1, 2
"""

MONTHS = """
    INSERT INTO campaign_month (campaign_id, date, impressions, clicks, conversions, cost)
    SELECT campaign_id, date_trunc('month', date)::date, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM campaign_day GROUP BY 1, 2 ORDER BY 1, 2
"""

TOTALS = """
    INSERT INTO total_day (date, impressions, clicks, conversions, cost)
    SELECT date, sum(impressions), sum(clicks), sum(conversions), sum(cost)
    FROM campaign_day GROUP BY 1 ORDER BY 1
"""


def upgrade() -> None:
    op.create_index(op.f("campaign_day_date_idx"), "campaign_day", ["date"], unique=False)
    for table, first in (("campaign_week", "its Monday"), ("campaign_month", "its first day")):
        op.create_table(
            table,
            sa.Column("campaign_id", sa.BigInteger(), nullable=False),
            sa.Column("date", sa.Date(), nullable=False, comment=first),
            *sums(),
            sa.PrimaryKeyConstraint("campaign_id", "date", name=op.f(f"{table}_pkey")),
        )
    op.create_table(
        "total_day",
        sa.Column("date", sa.Date(), nullable=False),
        *sums(),
        sa.PrimaryKeyConstraint("date", name=op.f("total_day_pkey")),
    )
    for statement in (WEEKS, MONTHS, TOTALS):
        op.execute(statement)


def sums() -> list[sa.Column[Decimal]]:
    names = ("impressions", "clicks", "conversions", "cost")
    return [sa.Column(name, sa.Numeric(precision=38, scale=0), nullable=False) for name in names]


def downgrade() -> None:
    for table in ("total_day", "campaign_month", "campaign_week"):
        op.drop_table(table)
    op.drop_index(op.f("campaign_day_date_idx"), table_name="campaign_day")
