"""Where to put an upload that is larger than a request may be: a pre-signed address in the bucket for uploads."""

import json
import os
from importlib import import_module
from typing import Any
from uuid import uuid4

from shared.messages import Kind, Mode

MINUTES = 15
DEFAULT_FILENAME = "upload.csv"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer `POST /upload-addresses?kind=&mode=&filename=` with where to put the file and find its report."""
    asked = event.get("queryStringParameters") or {}
    try:
        options = {"mode": Mode(asked.get("mode", Mode.UPSERT))} | (
            {"kind": Kind(asked["kind"])} if "kind" in asked else {}
        )
    except ValueError as error:
        return _answer(400, "application/problem+json", {"title": "Bad Request", "status": 400, "detail": f"{error}."})
    return _answer(201, "application/json", _address(asked.get("filename", DEFAULT_FILENAME), options))


def _address(filename: str, options: dict[str, str]) -> dict[str, Any]:
    name = filename.replace("\\", "/").rsplit("/", 1)[-1] or DEFAULT_FILENAME
    upload = uuid4()
    metadata = {key: str(value) for key, value in options.items()}
    return {
        "method": "PUT",
        "url": _sign("put_object", Key=f"uploads/{upload}/{name}", Metadata=metadata),
        "headers": {f"x-amz-meta-{key}": value for key, value in metadata.items()},
        "report": _sign("get_object", Key=f"reports/{upload}.json"),
        "minutes": MINUTES,
    }


def _sign(operation: str, **parameters: object) -> str:
    # Part of the Lambda runtime, and nowhere else: imported where they are needed.
    config = import_module("botocore.config").Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
    s3 = import_module("boto3").client("s3", config=config)
    address: str = s3.generate_presigned_url(
        operation, Params={"Bucket": os.environ["UPLOADS_BUCKET"], **parameters}, ExpiresIn=MINUTES * 60
    )
    return address


def _answer(status: int, content_type: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": content_type}, "body": json.dumps(body)}
