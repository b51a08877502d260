"""How `POST /uploads` is documented: its body, and an example of each answer."""

from dataclasses import dataclass
from http import HTTPStatus

from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, Reference, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from services.ingest.api.room import FULL_DETAIL
from services.ingest.api.spool import TooLargeError
from services.ingest.api.upload_answers import AcceptedUploads, CheckedUploads, RefusedFiles
from shared.docs import answer, errors, problem

EXAMPLE = {
    "uploads": [
        {
            "id": "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11",
            "kind": "ad_group_stats",
            "mode": "upsert",
            "filename": "ad_group_stats.csv",
            "state": "staging",
            "rows_read": 13655,
            "rows_accepted": 13419,
            "rows_merged": 228,
            "rows_rejected": 8,
            "received_at": "2026-01-31T09:15:00.000001Z",
        },
    ],
}


FILE_EXAMPLES: dict[str, Example | Reference] = {
    "stats": Example(
        summary="Ad-group stats, one row a day, ad group and device.",
        value="date,ad_group_id,device,impressions,clicks,conversions,cost\n"
        "2025-12-31,428651733015,MOBILE,349,12,1.5,8.385595\n",
    ),
    "ad groups": Example(
        summary="Ad groups.",
        value="ad_group_id,ad_group_name,campaign_id\n402718365914,Trekking Tents,30517264981\n",
    ),
    "campaigns": Example(
        summary="Campaigns.",
        value="campaign_id,campaign_name,campaign_type\n30517264981,Tents and Sleeping,SEARCH_STANDARD\n",
    ),
}
DRY_EXAMPLE = {
    "uploads": [
        {name: value for name, value in EXAMPLE["uploads"][0].items() if name not in {"state", "received_at"}}
        | {
            "report": {
                "encoding": "utf-8",
                "delimiter": ",",
                "header_line": 1,
                "header": "date,ad_group_id,device,impressions,clicks,conversions,cost",
                "columns": [{"column": "date", "header": "date"}, {"column": "cost", "header": "cost"}],
                "ignored": [],
                "locale": "point",
                "date_order": "ymd",
                "currency": None,
                "preamble": [],
                "rows_total": 0,
                "total_rows": [],
                "reconciliation": [],
                "notes": [],
                "warnings": [],
            },
        },
    ],
}
REFUSED = {
    int(status): problem(status, f"{name}: {reason}", RefusedFiles, files=[{"filename": name, "reason": reason}])
    for status, name, reason in (
        (
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "logo.png",
            "The file is binary. Send CSV text in UTF-8; spreadsheets can export it.",
        ),
        (
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "report.csv",
            "The header row has the columns: Day, Amount. campaigns needs campaign_id, campaign_name.",
        ),
    )
}
FORM_EXAMPLES: dict[str, Example | Reference] = {
    "sample": Example(summary="The project's sample file.", value={"file": ["data/ad_group_stats.csv"]}),
}


@dataclass
class UploadOperation(Operation):
    """Documents the body, which the handler streams instead of declaring."""

    def __post_init__(self) -> None:
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        files = Schema(type=OpenAPIType.ARRAY, items=binary, description="One or more CSV files.")
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": files}, required=["file"])
        self.request_body = RequestBody(
            description="A form with one or more files, or a file itself; gzip and zstd are unpacked.",
            required=True,
            content={
                "multipart/form-data": OpenAPIMediaType(form, examples=FORM_EXAMPLES),
                "text/csv": OpenAPIMediaType(binary, examples=FILE_EXAMPLES),
            },
        )


RESPONSES = (
    answer(HTTPStatus.ACCEPTED, AcceptedUploads, "Accepted: it will count entirely or not at all.", EXAMPLE)
    | answer(HTTPStatus.OK, CheckedUploads, "A dry run: what would be taken; nothing was.", DRY_EXAMPLE)
    | errors(
        BAD_REQUEST="Send each file as a part named 'file' (found: data).",
        REQUEST_ENTITY_TOO_LARGE=str(TooLargeError(4 * 2**30)),
        SERVICE_UNAVAILABLE="The queue does not confirm. Nothing is lost: send the same request again.",
        INSUFFICIENT_STORAGE=FULL_DETAIL,
    )
    | REFUSED
)
