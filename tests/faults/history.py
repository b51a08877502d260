"""What happened in a run, one JSON object a line, so that a failure can be read afterwards."""

import json
import time
from pathlib import Path


class History:
    """Appends events to a file; times are seconds since the epoch."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def note(self, event: str, **details: object) -> None:
        """Write down that something happened just now."""
        line = {"at": round(time.time(), 6), "event": event, **details}
        self._file.write(json.dumps(line, default=str) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
