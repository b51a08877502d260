"""The floor of a warm read: a Litestar handler that returns the same bytes from memory.

`floor.py PORT FILE`: the bytes of FILE at `/`, served by uvicorn on uvloop with one worker.
"""

import sys
from pathlib import Path

import uvicorn
from litestar import Litestar, get

PORT, FILE = sys.argv[1:]
BODY = Path(FILE).read_bytes()


@get("/", media_type="application/json")
async def body() -> bytes:
    """Return what lies in memory."""
    return BODY


uvicorn.run(Litestar([body], openapi_config=None), port=int(PORT), log_level="error", access_log=False)
