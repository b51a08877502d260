"""The textbook API: FastAPI, synchronous SQLAlchemy ORM, straight on the stats table.

`DATABASE_URL=… uvicorn api:app`, with one worker.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from fastapi import Depends, FastAPI, Query
from sqlalchemy import BigInteger, ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload

engine = create_engine(os.environ["DATABASE_URL"])
app = FastAPI()


class Base(DeclarativeBase):
    """The tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger}


class Campaign(Base):
    """A campaign."""

    __tablename__ = "campaign"
    campaign_id: Mapped[int] = mapped_column(primary_key=True)
    campaign_name: Mapped[str]
    campaign_type: Mapped[str]
    ad_groups: Mapped[list["AdGroup"]] = relationship(back_populates="campaign", order_by="AdGroup.ad_group_name")


class AdGroup(Base):
    """An ad group."""

    __tablename__ = "ad_group"
    ad_group_id: Mapped[int] = mapped_column(primary_key=True)
    ad_group_name: Mapped[str]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.campaign_id"))
    campaign: Mapped[Campaign] = relationship(back_populates="ad_groups")


class Stat(Base):
    """A day of an ad group on a device."""

    __tablename__ = "stats"
    day: Mapped[date] = mapped_column("date", primary_key=True)
    ad_group_id: Mapped[int] = mapped_column(ForeignKey("ad_group.ad_group_id"), primary_key=True)
    device: Mapped[str] = mapped_column(primary_key=True)
    impressions: Mapped[int]
    clicks: Mapped[int]
    conversions: Mapped[Decimal]
    cost: Mapped[Decimal]


class Step(StrEnum):
    """How wide a step of a series is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def session() -> Iterator[Session]:
    """Yield a session for a request."""
    with Session(engine) as opened:
        yield opened


Db = Annotated[Session, Depends(session)]
SUMS = (func.sum(Stat.cost), func.sum(Stat.clicks), func.sum(Stat.conversions), func.sum(Stat.impressions))


def ratio(dividend: Any, divisor: Any) -> float | None:
    """Return a quotient to six decimals; None when there is none."""
    return round(float(dividend / divisor), 6) if divisor else None


def averages(spent: Any) -> dict[str, float | None]:
    """Return a campaign's averages."""
    if spent is None:
        return {"average_monthly_cost": None, "average_cost_per_conversion": None}
    return {
        "average_monthly_cost": round(float(spent.mean), 6),
        "average_cost_per_conversion": ratio(spent.cost, spent.conversions),
    }


@app.get("/campaigns")
def campaigns(db: Db) -> list[dict[str, Any]]:
    """Return each campaign with its averages."""
    month = func.date_trunc("month", Stat.day)
    monthly = (
        select(AdGroup.campaign_id, func.sum(Stat.cost).label("cost"), func.sum(Stat.conversions).label("conversions"))
        .join(AdGroup)
        .group_by(AdGroup.campaign_id, month)
        .subquery()
    )
    spent = {
        row.campaign_id: row
        for row in db.execute(
            select(
                monthly.c.campaign_id,
                func.avg(monthly.c.cost).label("mean"),
                func.sum(monthly.c.cost).label("cost"),
                func.sum(monthly.c.conversions).label("conversions"),
            ).group_by(monthly.c.campaign_id)
        )
    }
    listed = db.scalars(select(Campaign).options(selectinload(Campaign.ad_groups)).order_by(Campaign.campaign_id))
    return [
        {
            "campaign_id": each.campaign_id,
            "campaign_name": each.campaign_name,
            "campaign_type": each.campaign_type,
            "num_ad_groups": len(each.ad_groups),
            "ad_group_names": [group.ad_group_name for group in each.ad_groups],
            **averages(spent.get(each.campaign_id)),
        }
        for each in listed
    ]


@app.get("/performance-time-series")
def series(
    db: Db,
    aggregate_by: Step,
    campaign_ids: Annotated[list[int] | None, Query()] = None,
    start_date: date | None = None,
    end_date: date | None = None,
) -> list[dict[str, Any]]:
    """Return each campaign's totals and averages of each step."""
    step = func.date_trunc(aggregate_by.value, Stat.day)
    query = (
        select(step, Campaign.campaign_id, Campaign.campaign_name, *SUMS)
        .select_from(Stat)
        .join(AdGroup)
        .join(Campaign)
        .group_by(step, Campaign.campaign_id, Campaign.campaign_name)
        .order_by(step, Campaign.campaign_id)
    )
    if campaign_ids:
        query = query.where(Campaign.campaign_id.in_(campaign_ids))
    if start_date:
        query = query.where(Stat.day >= start_date)
    if end_date:
        query = query.where(Stat.day <= end_date)
    return [
        {
            "date": day.date(),
            "campaign_id": campaign_id,
            "campaign_name": name,
            "total_cost": float(cost),
            "total_clicks": int(clicks),
            "total_conversions": float(conversions),
            "total_impressions": int(impressions),
            "avg_cost_per_click": ratio(cost, clicks),
            "avg_cost_per_conversion": ratio(cost, conversions),
            "avg_click_through_rate": ratio(clicks, impressions),
            "avg_conversion_rate": ratio(conversions, clicks),
        }
        for day, campaign_id, name, cost, clicks, conversions, impressions in db.execute(query)
    ]


def metrics(db: Session, start: date, end: date) -> dict[str, Any]:
    """Return the totals and ratios of a period."""
    row = db.execute(select(*SUMS).where(Stat.day.between(start, end))).one()
    cost, clicks, conversions, impressions = (value or 0 for value in row)
    return {
        "start_date": start,
        "end_date": end,
        "total_cost": float(cost),
        "total_clicks": int(clicks),
        "total_conversions": float(conversions),
        "total_impressions": int(impressions),
        "cost_per_click": ratio(cost, clicks),
        "cost_per_conversion": ratio(cost, conversions),
        "cost_per_impression": ratio(cost, impressions),
        "click_through_rate": ratio(clicks, impressions),
        "conversion_rate": ratio(conversions, clicks),
    }


@app.get("/compare-performance")
def compare(db: Db, start_date: date, end_date: date) -> dict[str, Any]:
    """Compare a period with as many days before it."""
    length = end_date - start_date + timedelta(days=1)
    before = metrics(db, start_date - length, end_date - length)
    current = metrics(db, start_date, end_date)
    change = {
        name: round((current[name] - value) / value * 100, 6) if value and current[name] is not None else None
        for name, value in before.items()
        if not name.endswith("_date")
    }
    return {"before_period": before, "current_period": current, "change_in_percentage": change}
