"""What the numbers mean, as plain Python over what has been delivered: the model that the database is held against.

Times are whole numbers. It keeps everything and computes each answer anew, by the words of the design.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shared.messages import Kind, Mode, Origin


@dataclass(eq=False)
class Upload:
    """An upload: what its file says, which of its attempts are complete, and when it was taken back."""

    kind: Kind
    mode: Mode
    origin: Origin
    keyed: bool
    rows: tuple[Any, ...]
    complete: set[int] = field(default_factory=set)
    reverts: set[int] = field(default_factory=set)

    @property
    def place(self) -> int | None:
        """Where it stands among the others; None while it does not count."""
        if not self.complete:
            return None
        place = min(self.complete) if self.keyed else max(self.complete)
        return place if place > max(self.reverts, default=-1) else None


@dataclass
class Model:
    """All uploads, and the values that follow from them."""

    uploads: list[Upload] = field(default_factory=list)

    def counting(self, kind: Kind) -> list[Upload]:
        """Return the uploads of a kind that count, in the order of their places."""
        placed = [upload for upload in self.uploads if upload.kind is kind and upload.place is not None]
        return sorted(placed, key=lambda upload: upload.place or 0)

    def stats(self) -> dict[tuple[Any, ...], list[int]]:
        """Return each key's value: the sum from its latest `upsert` on."""
        values: dict[tuple[Any, ...], list[int]] = {}
        for upload in self.counting(Kind.AD_GROUP_STATS):
            for *key, i, c, v, m in upload.rows:
                before = values.get(tuple(key), [0, 0, 0, 0]) if upload.mode is Mode.ADD else [0, 0, 0, 0]
                values[tuple(key)] = [a + b for a, b in zip(before, (i, c, v, m), strict=True)]
        return values

    def _described(self, kind: Kind) -> Iterator[tuple[int, tuple[Any, Any]]]:
        latest: dict[int, tuple[Any, Any]] = {}
        for upload in self.counting(kind):
            for key, *words in upload.rows:
                old = latest.get(key, (None, None))
                latest[key] = (words[0] or old[0], words[1] or old[1])
        yield from latest.items()

    def ad_groups(self) -> dict[int, tuple[str | None, int | None]]:
        """Return the name and campaign of each ad group that is described or has stats."""
        return {key[0]: (None, None) for key in self.stats()} | dict(self._described(Kind.AD_GROUPS))

    def campaigns(self) -> dict[int, tuple[str | None, str | None]]:
        """Return the name and type of each campaign that a file or an ad group names."""
        files = [upload for upload in self.counting(Kind.CAMPAIGNS) if upload.origin is Origin.FILE]
        named = {row[0] for upload in files for row in upload.rows}
        named |= {campaign for _, campaign in self.ad_groups().values() if campaign is not None}
        described = dict(self._described(Kind.CAMPAIGNS))
        return {campaign: described.get(campaign, (None, None)) for campaign in named}

    def rollup(self) -> dict[tuple[int, Any], list[int]]:
        """Return each campaign's sums of each day; -1 stands for stats without a campaign."""
        ad_groups = self.ad_groups()
        days: dict[tuple[int, Any], list[int]] = {}
        for (ad_group, day, _), value in self.stats().items():
            campaign = ad_groups[ad_group][1]
            key = (-1 if campaign is None else campaign, day)
            days[key] = [a + b for a, b in zip(days.get(key, [0] * 4), value, strict=True)]
        return days
