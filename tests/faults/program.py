"""`program.py SECONDS BYTES ARGUMENTS…`: adledger as it is, but for what lets faults find more in less time.

Its batches have so many bytes, few, so that small uploads have many; its clock is so many seconds ahead when it takes
uploads; and uploads of some hundred rows are applied as those of more than 50,000 are.
"""

import sys
from datetime import datetime, timedelta, tzinfo

from services.cli import main
from services.ingest.api import batching, intake
from services.ingest.consumer import fast_days, filling, planning, together

LARGE_ROWS = 200


def skew(seconds: float) -> None:
    """Let the intake's clock be wrong from now on."""

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=seconds)

    intake.datetime = Skewed


if __name__ == "__main__":
    if seconds := float(sys.argv.pop(1)):
        skew(seconds)
    batching.BATCH_BYTES = int(sys.argv.pop(1))
    for module in (fast_days, filling, planning, together):
        module.LARGE = LARGE_ROWS
    main()
