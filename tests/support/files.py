"""Small CSV files, and what the API says about them."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

CAMPAIGNS = "campaign_id,campaign_name,campaign_type"
AD_GROUPS = "ad_group_id,ad_group_name,campaign_id"
STATS = "date,ad_group_id,device,impressions,clicks,conversions,cost"


def csv_of(header: str, *lines: str) -> bytes:
    """Return a CSV file."""
    return "".join(f"{line}\n" for line in (header, *lines)).encode()


def send(
    http: httpx.Client, content: bytes, headers: dict[str, str] | None = None, **parameters: str
) -> dict[str, Any]:
    """Send one file as a raw body and return what the API says about it; it must be accepted."""
    answer = http.post("/uploads", content=content, headers=headers, params=parameters)
    assert answer.status_code == 202, answer.text
    upload: dict[str, Any] = answer.json()["uploads"][0]
    return upload


def exactly(answer: httpx.Response) -> Any:
    """Return an answer's JSON with its numbers as exact decimals; it must be a good answer."""
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def problem(answer: httpx.Response, status: int) -> str:
    """Return the detail of an answer that must be a problem of this status."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    body = answer.json()
    assert (body["status"], bool(body["title"])) == (status, True)
    return str(body["detail"])


def spooled(data: Path) -> list[str]:
    """Return what lies in the spool of a data directory besides each process's own folder and its lock."""
    spool = data / "spool"
    homes = list(spool.glob("ingest-*"))
    assert homes, "this is no spool of a running process"
    return [str(path.relative_to(spool)) for home in homes for path in home.rglob("*") if path != home / "lock"]
