"""What an understood file comes to.

Pure: no framework.
"""

from dataclasses import dataclass
from pathlib import Path

from shared.messages import Bounds, Kind, Totals
from shared.reports import Report


@dataclass(frozen=True)
class Parsed:
    """An understood file: `rows` and `rejections` are files in COPY text format, sorted by key and by line.

    Every record is counted once: read = accepted + merged + rejected + the report's rows of totals.
    """

    kind: Kind
    rows: Path
    rejections: Path
    rows_read: int
    rows_accepted: int
    rows_merged: int
    rows_rejected: int
    totals: Totals
    bounds: Bounds | None
    report: Report
