"""`skewed.py SECONDS ARGUMENTS…`: adledger in a process whose clock is so many seconds ahead when it takes uploads."""

import sys
from datetime import datetime, timedelta, tzinfo

from services.cli import main
from services.ingest.api import intake


def skew(seconds: float) -> None:
    """Let the intake's clock be wrong from now on."""

    class Skewed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=seconds)

    intake.datetime = Skewed


if __name__ == "__main__":
    skew(float(sys.argv.pop(1)))
    main()
