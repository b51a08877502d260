"""What became of uploads: their states, and how each was read."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.spec import Example
from litestar.params import Parameter

from services.query.examples import UPLOAD, UPLOAD_DETAIL, UPLOAD_ID
from services.query.reader import Reader
from services.query.schemas import Upload, UploadDetail
from shared.docs import RETRY_AFTER, answer, errors, problem
from shared.errors import RETRY_AFTER_SECONDS, ProblemError
from shared.reports import Report
from shared.states import SHOWN_STATE

# The current attempt is the latest one, unless that only repeats what another one already made count.
_CURRENT = """
    SELECT DISTINCT ON (a.upload_id) a.upload_id,
           CASE WHEN a.state = 'applied' THEN coalesce(u.attempt_id, a.id) ELSE a.id END AS attempt_id,
           count(*) OVER (PARTITION BY a.upload_id) AS attempts
    FROM attempt a JOIN upload u ON u.id = a.upload_id
    {where}
    ORDER BY a.upload_id, a.received_at DESC
"""

CURRENT_ONE = _CURRENT.format(where="WHERE a.upload_id = :id")
"""The current attempt of the upload `:id`."""

_UPLOADS = """
    SELECT u.id, u.kind, u.mode, a.filename, {state} AS state,
           a.rows_read, a.rows_accepted, a.rows_merged, a.rows_rejected, a.keys_new, a.keys_changed,
           a.received_at, a.applied_at, u.reverted_at, {reason} AS reason, a.batches, a.batches_seen, current.attempts,
           a.sender, a.currency, u.fixes, u.compacted{more}
    FROM ({current}) AS current
    JOIN upload u ON u.id = current.upload_id
    JOIN attempt a ON a.id = current.attempt_id
    ORDER BY a.received_at DESC
    LIMIT :limit
"""

_REASON = """
    CASE WHEN a.state <> 'complete' OR u.fixes IS NULL THEN a.reason
         WHEN NOT EXISTS (SELECT FROM upload o WHERE o.id = u.fixes AND o.place IS NOT NULL)
         THEN 'It waits until ' || u.fixes || ', which it mends, is applied.' END
"""

# Of the fixes of an upload the latest one counts.
_MORE = """, a.report,
           (SELECT f.id FROM upload f
            WHERE f.fixes = u.id AND f.attempt_id IS NOT NULL AND (f.reverted_at IS NULL OR f.place > f.reverted_at)
            ORDER BY f.place DESC, f.id DESC LIMIT 1) AS fixed_by
"""

_ALL = _UPLOADS.format(
    current=_CURRENT.format(where="WHERE u.origin <> 'base'"), state=SHOWN_STATE, reason=_REASON, more=""
)
_ONE = _UPLOADS.format(current=CURRENT_ONE, state=SHOWN_STATE, reason=_REASON, more=_MORE)


def _unknown(upload_id: UUID) -> ProblemError:
    detail = f"No upload {upload_id} is known yet. If it was accepted just now, ask again in a moment."
    return ProblemError(HTTPStatus.NOT_FOUND, detail, retry_after=RETRY_AFTER_SECONDS)


_UNKNOWN_DETAIL = _unknown(UUID(UPLOAD_ID)).detail
UNKNOWN = {int(HTTPStatus.NOT_FOUND): problem(HTTPStatus.NOT_FOUND, _UNKNOWN_DETAIL, headers=RETRY_AFTER)} | errors(
    SERVICE_UNAVAILABLE="The database does not answer. Try again.",
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
    return [Upload(**row) for row in await reader.fetch(_ALL, {"limit": limit})]


@get(
    "/uploads/{upload_id:uuid}",
    tags=["Uploads"],
    summary="One upload",
    responses=answer(HTTPStatus.OK, UploadDetail, "As it stands.", UPLOAD_DETAIL) | UNKNOWN,
)
async def show_upload(reader: NamedDependency[Reader], upload_id: UploadId) -> UploadDetail:
    """Return an upload; it is `applied` only when its numbers can be read.

    Right after `POST /uploads` this may be a 404, until the first part of the upload has come through the queue.
    """
    rows = await reader.fetch(_ONE, {"id": upload_id, "limit": 1})
    if not rows:
        raise _unknown(upload_id)
    (row,) = rows
    report = row["report"] and msgspec.convert(row["report"], Report)
    return UploadDetail(**{**row, "report": report})
