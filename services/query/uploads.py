"""What became of uploads: their states, and the rows that were not loaded."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Parameter
from litestar.response import Stream
from sqlalchemy import RowMapping

from services.query.examples import REJECTIONS, REJECTIONS_CSV, UPLOAD, UPLOAD_ID
from services.query.reader import Reader
from services.query.schemas import Rejection, Upload
from shared.docs import RETRY_AFTER, Answer, answer, errors, example, problem
from shared.errors import RETRY_AFTER_SECONDS, ProblemError

# The current attempt is the latest one, unless that only repeats what another one already made count.
_CURRENT = """
    SELECT DISTINCT ON (a.upload_id) a.upload_id,
           CASE WHEN a.state = 'applied' THEN coalesce(u.attempt_id, a.id) ELSE a.id END AS attempt_id,
           count(*) OVER (PARTITION BY a.upload_id) AS attempts
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    {where}
    ORDER BY a.upload_id, a.received_at DESC
"""

_UPLOADS = """
    SELECT u.id, u.kind, u.mode, a.filename,
           CASE WHEN a.state = 'applied' AND u.reverted_at >= u.place THEN 'reverted' ELSE a.state END AS state,
           a.rows_read, a.rows_accepted, a.rows_merged, a.rows_rejected, a.keys_new, a.keys_changed,
           a.received_at, a.applied_at, u.reverted_at, a.reason, a.batches, a.batches_seen, current.attempts
    FROM ({current}) AS current
    JOIN upload u ON u.id = current.upload_id
    JOIN attempt a ON a.id = current.attempt_id
    ORDER BY a.received_at DESC
    LIMIT :limit
"""

_ALL = _UPLOADS.format(current=_CURRENT.format(where=""))
_ONE = _UPLOADS.format(current=_CURRENT.format(where="WHERE a.upload_id = :id"))

_REJECTIONS = f"""
    SELECT r.line, r."column", r.value, r.reason
    FROM ({_CURRENT.format(where="WHERE a.upload_id = :id")}) AS current
    JOIN rejection r ON r.attempt_id = current.attempt_id
    ORDER BY r.line
"""

CSV = "text/csv"


def _unknown(upload_id: UUID) -> ProblemError:
    detail = f"No upload {upload_id} is known yet. If it was accepted just now, ask again in a moment."
    return ProblemError(HTTPStatus.NOT_FOUND, detail, retry_after=RETRY_AFTER_SECONDS)


_UNKNOWN_DETAIL = _unknown(UUID(UPLOAD_ID)).detail
UNKNOWN = {int(HTTPStatus.NOT_FOUND): problem(HTTPStatus.NOT_FOUND, _UNKNOWN_DETAIL, headers=RETRY_AFTER)} | errors(
    SERVICE_UNAVAILABLE="The database does not answer. Try again.",
)

REJECTED = Answer(
    data_container=list[Rejection],
    generate_examples=False,
    description="In the file's order; as CSV with `Accept: text/csv`.",
    examples=[example("JSON.", REJECTIONS)],
    also={CSV: example("CSV, which opens in a spreadsheet.", REJECTIONS_CSV)},
)

UploadId = Annotated[
    UUID,
    Parameter(description="The id that `POST /uploads` answered with.", examples=[Example(value=UPLOAD_ID)]),
]


@get(
    "/uploads",
    tags=["Uploads"],
    summary="The latest uploads",
    responses=answer(HTTPStatus.OK, list[Upload], "Newest first.", [UPLOAD])
    | errors(
        BAD_REQUEST="limit: Expected `int` >= 1.",
        SERVICE_UNAVAILABLE="The database does not answer. Try again.",
    ),
)
async def list_uploads(
    reader: NamedDependency[Reader],
    limit: Annotated[int, Parameter(ge=1, le=1000, description="How many at the most.")] = 100,
) -> list[Upload]:
    """Return the uploads that were received last, each as it stands."""
    return [_upload(row) for row in await reader.fetch(_ALL, {"limit": limit})]


@get(
    "/uploads/{upload_id:uuid}",
    tags=["Uploads"],
    summary="One upload",
    responses=answer(HTTPStatus.OK, Upload, "As it stands.", UPLOAD) | UNKNOWN,
)
async def show_upload(reader: NamedDependency[Reader], upload_id: UploadId) -> Upload:
    """Return an upload; it is `applied` only when its numbers can be read.

    Right after `POST /uploads` this may be a 404, until the first part of the upload has come through the queue.
    """
    rows = await reader.fetch(_ONE, {"id": upload_id, "limit": 1})
    if not rows:
        raise _unknown(upload_id)
    return _upload(rows[0])


@get(
    "/uploads/{upload_id:uuid}/rejections",
    tags=["Uploads"],
    summary="The rows of an upload that were not loaded",
    responses={int(HTTPStatus.OK): REJECTED} | UNKNOWN,
)
async def list_rejections(
    request: Request[Any, Any, Any], reader: NamedDependency[Reader], upload_id: UploadId
) -> Stream:
    """Return each row that was not loaded with its line, column, value and reason, to mend and send again."""
    await show_upload.fn(reader, upload_id)
    rows = reader.stream(_REJECTIONS, {"id": upload_id})
    if request.accept.best_match(["application/json", CSV]) == CSV:
        name = f'attachment; filename="rejections-{upload_id}.csv"'
        return Stream(_as_csv(rows), media_type=CSV, headers={"Content-Disposition": name})
    return Stream(_as_json(rows), media_type="application/json")


async def _as_json(rows: AsyncIterator[RowMapping]) -> AsyncIterator[bytes]:
    separator = b"["
    async for row in rows:
        yield separator + msgspec.json.encode(Rejection(**row))
        separator = b","
    yield b"]" if separator == b"," else b"[]"


async def _as_csv(rows: AsyncIterator[RowMapping]) -> AsyncIterator[str]:
    yield _csv_line(Rejection.__struct_fields__)
    async for row in rows:
        yield _csv_line(row.values())


def _csv_line(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)
    return line.getvalue()


def _upload(row: RowMapping) -> Upload:
    return Upload(**row)
