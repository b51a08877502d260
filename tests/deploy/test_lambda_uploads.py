"""Uploads by way of the bucket: put at a pre-signed address of moto's S3, taken from there by the zip's function."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote, urlsplit

import httpx
import pytest

from tests.support.databases import database
from tests.support.files import CAMPAIGNS, STATS, csv_of, exactly
from tests.support.lambda_runtime import MOST, Function, run
from tests.support.rendering import TOOLS
from tests.support.running import Running, running

BUCKET = "adledger-uploads"
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
LOCATION = (
    b"<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
)
PUT_AT = "2026-01-31T09:15:00.125Z"

pytestmark = [
    pytest.mark.skipif("ADLEDGER_VERIFY_DEPLOY" not in os.environ, reason="slow: run make verify-deploy"),
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Uploads:
    """The two functions, the bucket between them, and a query service on their database."""

    addresses: Function
    objects: Function
    reads: Running

    def ask(self, **options: str) -> dict[str, Any]:
        return self.addresses.invoke({"version": "2.0", "queryStringParameters": options})

    def put(self, content: bytes, **options: str) -> tuple[str, str]:
        """Put a file where we are told to, and return the object's key and the address of its report."""
        told = json.loads(self.ask(**options)["body"])
        answer = httpx.request(told["method"], told["url"], headers=told["headers"], content=content, timeout=60)
        assert answer.status_code == 200, answer.text
        return unquote(urlsplit(told["url"]).path.partition(f"/{BUCKET}/")[2]), told["report"]

    def event(self, key: str, at: str = PUT_AT) -> Any:
        """Tell the function of an object, as S3 does."""
        named = {"bucket": {"name": BUCKET}, "object": {"key": quote_plus(key, safe="/")}}
        return self.objects.invoke({"Records": [{"eventTime": at, "eventName": "ObjectCreated:Put", "s3": named}]})

    def taken(self) -> list[dict[str, Any]]:
        with self.reads.http() as http:
            listed: list[dict[str, Any]] = exactly(http.get("/uploads"))
            return listed


@pytest.fixture(scope="module")
def boto3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of Lambda's runtime that reads buckets."""
    folder = tmp_path_factory.mktemp("boto3")
    [packages] = (TOOLS.parent / "lib").glob("python3.*/site-packages")
    for name in RUNTIME:
        (folder / name).symlink_to(packages / name)
    return folder


@pytest.fixture(scope="module")
def bucket(aws: dict[str, str]) -> dict[str, str]:
    """The environment of functions in an AWS that has the bucket."""
    httpx.put(f"{aws['AWS_ENDPOINT_URL']}/{BUCKET}", content=LOCATION).raise_for_status()
    return {key: value for key, value in aws.items() if key.startswith("AWS_")}


@pytest.fixture
def uploads(
    python: str, unpacked: Path, boto3: Path, bucket: dict[str, str], postgres: str, template: str, tmp_path: Path
) -> Iterator[Uploads]:
    with database(postgres, template) as url, ExitStack() as stack:

        def function(which: str, name: str, **settings: str) -> Function:
            path = f"{unpacked / which}:{unpacked / 'runtime'}:{boto3}"
            environment = bucket | settings
            command = [python, "-m", "awslambdaric", f"functions.{name}.handler"]
            return stack.enter_context(run(command, unpacked / which, environment | {"PYTHONPATH": path}))

        settings = {"ADLEDGER_DATABASE_URL": url, "ADLEDGER_DATA_DIR": str(tmp_path / "tmp")}
        yield Uploads(
            function("query", "addresses", UPLOADS_BUCKET=BUCKET),
            function("ingest", "objects", **settings),
            stack.enter_context(running(tmp_path, "serve", "query", settings={"ADLEDGER_DATABASE_URL": url})),
        )


def test_a_file_larger_than_a_request_may_be_is_put_taken_and_reported(uploads: Uploads) -> None:
    rows = [f"2025-01-{day:02},{group},MOBILE,100,7,1.5,5.25" for group in range(10000) for day in range(1, 29)]
    content = csv_of(STATS, *rows)
    assert len(content) > MOST
    key, report = uploads.put(content, filename="exports/größte Datei.csv", kind="ad_group_stats")
    assert uploads.event(key) is None
    [upload] = uploads.taken()
    assert (upload["filename"], upload["state"], upload["rows_accepted"]) == ("größte Datei.csv", "applied", len(rows))
    [reported] = httpx.get(report).json()["uploads"]
    assert reported["id"] == upload["id"]
    assert reported["received_at"].startswith("2026-01-31T09:15:00.125")


def test_an_event_that_comes_twice_is_one_sending_and_an_older_object_does_not_win(uploads: Uploads) -> None:
    new, _ = uploads.put(csv_of(CAMPAIGNS, "1,New,"))
    old, _ = uploads.put(csv_of(CAMPAIGNS, "1,Old,"))
    uploads.event(new, "2026-01-31T10:00:00.000Z")
    for _ in range(2):
        uploads.event(old, "2026-01-31T09:00:00.000Z")
    assert [upload["attempts"] for upload in uploads.taken()] == [1, 1]
    with uploads.reads.http() as http:
        assert [each["campaign_name"] for each in exactly(http.get("/campaigns"))] == ["New"]


def test_an_object_that_cannot_be_read_is_reported_and_not_tried_again(uploads: Uploads) -> None:
    key, report = uploads.put(b"Day,Amount\n2025-01-01,3\n")
    assert uploads.event(key) is None
    refused = httpx.get(report).json()
    assert refused["status"] == 422
    assert "Day, Amount" in refused["detail"]
    assert uploads.taken() == []


def test_an_address_is_refused_for_options_that_there_are_not(uploads: Uploads) -> None:
    refused = uploads.ask(mode="replace")
    assert refused["statusCode"] == 400
    assert "replace" in json.loads(refused["body"])["detail"]
