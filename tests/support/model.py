"""What the numbers mean, in plain Python: the model that the database is held against."""

from dataclasses import dataclass, field
from typing import Any, Self

from shared.messages import Kind, Mode, Origin


@dataclass(eq=False)
class Upload:
    """What a file says and whose rows it mends, when it was complete, and when it was taken back."""

    kind: Kind
    mode: Mode
    origin: Origin
    keyed: bool
    rows: tuple[Any, ...]
    fixes: Self | None = None
    complete: set[int] = field(default_factory=set)
    reverts: set[int] = field(default_factory=set)

    def place(self) -> int:
        place = min(self.complete, default=-1) if self.keyed else max(self.complete, default=-1)
        return place if place > max(self.reverts, default=-1) else -1


def fold(uploads: list[Upload]) -> dict[str, dict[Any, Any]]:
    """Return the stats, ad groups and campaigns, and the sums of each campaign (-1: none) and day."""
    stats, days, words = dict[Any, Any](), dict[Any, Any](), {kind: dict[Any, Any]() for kind in Kind}
    standing = sorted((upload for upload in uploads if upload.place() >= 0), key=Upload.place)
    latest_fix, named = {upload.fixes: upload for upload in standing}, set[int | None]()
    for upload in (each for each in standing if each.fixes is None):
        rows, part = upload.rows, latest_fix.get(upload)
        while part:
            rows, part = rows + part.rows, latest_fix.get(part)
        if upload.kind is Kind.AD_GROUP_STATS:
            stats.update({row[:3]: [0] * 4 for row in rows if upload.mode is Mode.UPSERT})
            for row in rows:
                stats[row[:3]] = [a + b for a, b in zip(stats.get(row[:3], [0] * 4), row[3:], strict=True)]
            continue
        for key, *new in rows:
            old = words[upload.kind].get(key, (None, None))
            words[upload.kind][key] = tuple(b or a for a, b in zip(old, new, strict=True))
        named |= {row[0] for row in rows if upload.kind is Kind.CAMPAIGNS and upload.origin is Origin.FILE}
    for (ad_group, day, _), value in stats.items():
        key = words[Kind.AD_GROUPS].setdefault(ad_group, (None, None))[1] or -1, day
        days[key] = [a + b for a, b in zip(days.get(key, [0] * 4), value, strict=True)]
    named |= {campaign for _, campaign in words[Kind.AD_GROUPS].values()} - {None}
    campaigns = {campaign: words[Kind.CAMPAIGNS].get(campaign, (None, None)) for campaign in named}
    return {"stats": stats, "ad_groups": words[Kind.AD_GROUPS], "campaigns": campaigns, "rollup": days}
