"""The coarser rollups, in plain Python over the days that they are the sums of."""

from datetime import timedelta
from typing import Any


def coarsen(days: dict[Any, Any]) -> dict[str, dict[Any, Any]]:
    """Return the sums of each campaign's weeks and months, and of each day, from those of its days."""
    sums: dict[str, dict[Any, Any]] = {"weeks": {}, "months": {}, "totals": {}}
    for (campaign, day), value in days.items():
        keys = {
            "weeks": (campaign, day - timedelta(day.weekday())),
            "months": (campaign, day.replace(day=1)),
            "totals": day,
        }
        for name, key in keys.items():
            sums[name][key] = [a + b for a, b in zip(sums[name].get(key, [0] * 4), value, strict=True)]
    return sums
