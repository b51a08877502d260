"""The tables of the rollup: each campaign's sums of a day, a week, a month, and the total of each day.

All but the first are sums of the first one's rows. With them a read adds up a few rows where it would add up thousands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

METRICS = ("impressions", "clicks", "conversions", "cost")


@dataclass(frozen=True)
class Level:
    """A table of sums, how its key follows from a day's, and for coarser ones the days (`d`) of a row (`t`)."""

    table: str
    key_of_day: Mapping[str, str]
    days: str = ""

    @property
    def sums(self) -> str:
        """Return the name of the temporary table of one attempt's sums at this level."""
        return f"{self.table}_sum"

    @property
    def columns(self) -> Sequence[str]:
        """Return the names of the columns, in their order."""
        return (*self.key_of_day, *METRICS)

    def key(self, alias: str) -> str:
        """Return the columns of the key, of that alias."""
        return ", ".join(f"{alias}.{column}" for column in self.key_of_day)

    @property
    def by_date(self) -> Sequence[str]:
        """Return the columns of the key, the date first: coarser sums of all campaigns are read together."""
        return tuple(reversed(list(self.key_of_day)))

    def keys_of(self, days: str) -> str:
        """Return the query for the keys that the rows of `days` are part of."""
        columns = ", ".join(f"{of_day} AS {column}" for column, of_day in self.key_of_day.items())
        return f"SELECT DISTINCT {columns} FROM {days}"


def _steps(step: str) -> Level:
    return Level(
        f"campaign_{step}",
        {"campaign_id": "campaign_id", "date": f"date_trunc('{step}', date::timestamp)::date"},
        f"d.campaign_id = t.campaign_id AND d.date >= t.date AND d.date < t.date + interval '1 {step}'",
    )


DAY = Level("campaign_day", {"campaign_id": "campaign_id", "date": "date"})
COARSER = (_steps("week"), _steps("month"), Level("total_day", {"date": "date"}, "d.date = t.date"))
LEVELS = (DAY, *COARSER)
