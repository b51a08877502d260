"""Uploads by way of the bucket: each object is sent to the ingest API as a request of its own would be.

The time of an upload is that of its object, so that an event that comes twice is the same sending, and counts once.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import unquote_plus, urlencode

from litestar import Litestar
from typing_extensions import override

from functions.asgi import post
from functions.serving import start
from functions.settings import database_url
from services.ingest.api.app import create_app
from services.ingest.api.intake import Clock
from services.ingest.api.settings import IngestSettings
from services.local import inline_transport


class EventClock(Clock):
    """Shows the time of the event that is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.time = self._last

    @override
    def now(self) -> datetime:
        return self.time


_clock = EventClock()


async def _create(stack: AsyncExitStack) -> Litestar:
    transport = await stack.enter_async_context(inline_transport(database_url()))
    return create_app(IngestSettings(), transport, _clock)


_loop, _app = start(_create)


def handler(event: dict[str, Any], _context: object) -> None:
    """Take the objects that an event of S3 names; raises while the database is away, so that Lambda tries again."""
    for record in event["Records"]:
        _loop.run_until_complete(_take(record))


async def _take(record: dict[str, Any]) -> None:
    bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
    _, upload, filename = key.split("/", 2)
    # Part of the Lambda runtime, and nowhere else: imported where it is needed.
    s3 = import_module("boto3").client("s3")
    found = await asyncio.to_thread(s3.get_object, Bucket=bucket, Key=key)
    _clock.time = datetime.fromisoformat(record["eventTime"])
    options = {name: found["Metadata"][name] for name in ("kind", "mode") if name in found["Metadata"]}
    query = urlencode({"filename": filename, **options})
    status, report = await post(_app, "/uploads", query, found["Body"], found["ContentLength"])
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        raise RuntimeError(report.decode())
    report_key = f"reports/{upload}.json"
    await asyncio.to_thread(s3.put_object, Bucket=bucket, Key=report_key, Body=report, ContentType="application/json")
