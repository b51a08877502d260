"""`GET /uploads/{id}/rejections`: the rows of an upload that were not loaded, to be mended and sent again."""

import csv
import io
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.response import Stream
from sqlalchemy import RowMapping

from services.query.examples import REJECTIONS, REJECTIONS_CSV
from services.query.reader import Reader
from services.query.schemas import Rejection, UploadDetail
from services.query.uploads import CURRENT_ONE, UNKNOWN, UploadId, show_upload
from shared.docs import Answer, example

_REJECTIONS = f"""
    SELECT r.line, r."column", r.value, r.reason, r.text
    FROM ({CURRENT_ONE}) AS current
    JOIN rejection r ON r.attempt_id = current.attempt_id
    ORDER BY r.line
"""

CSV = "text/csv"
COLUMNS = Rejection.__struct_fields__

REJECTED = Answer(
    data_container=list[Rejection],
    generate_examples=False,
    description="In the file's order; with `Accept: text/csv` as a file to mend and to send with `?fixes=`.",
    examples=[example("JSON.", REJECTIONS)],
    also={CSV: example("CSV: the rows as they stand in the file, and what is wrong with each.", REJECTIONS_CSV)},
)


@get(
    "/uploads/{upload_id:uuid}/rejections",
    tags=["Uploads"],
    summary="The rows of an upload that were not loaded",
    responses={int(HTTPStatus.OK): REJECTED} | UNKNOWN,
)
async def list_rejections(
    request: Request[Any, Any, Any], reader: NamedDependency[Reader], upload_id: UploadId
) -> Stream:
    """Return each row that was not loaded with its line, column, value and reason, to mend and send again.

    As CSV it is the header row and the rows as they stand in the file, in the file's own delimiter, with these four
    in columns of their own at the end, which need not be removed. Mend the rows and send them with `?fixes=` and this
    upload's id: that completes the file.
    """
    upload = await show_upload.fn(reader, upload_id)
    rows = reader.stream(_REJECTIONS, {"id": upload_id})
    if request.accept.best_match(["application/json", CSV]) == CSV:
        name = f'attachment; filename="rejections-{upload_id}.csv"'
        return Stream(_as_csv(upload, rows), media_type=CSV, headers={"Content-Disposition": name})
    return Stream(_as_json(rows), media_type="application/json")


async def _as_json(rows: AsyncIterator[RowMapping]) -> AsyncIterator[bytes]:
    separator = b"["
    async for row in rows:
        yield separator + msgspec.json.encode(Rejection(*_told(row)))
        separator = b","
    yield b"]" if separator == b"," else b"[]"


async def _as_csv(upload: UploadDetail, rows: AsyncIterator[RowMapping]) -> AsyncIterator[str]:
    """Yield the lines of the file to mend; of uploads whose text was not kept, only what is wrong with each row."""
    report = upload.report
    delimiter = report.delimiter if report else ","
    yield (report.header + delimiter if report else "") + _csv_line(COLUMNS, delimiter)
    async for row in rows:
        original = row["text"]
        yield (original + delimiter if report and original is not None else "") + _csv_line(_told(row), delimiter)


def _told(row: RowMapping) -> list[Any]:
    return [row[name] for name in COLUMNS]


def _csv_line(values: Iterable[object], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(values)
    return line.getvalue()
