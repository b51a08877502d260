"""What a request may say about how its files are to be read, and what it is told about them; over HTTP."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.support import google_exports as google
from tests.support import other_exports as other
from tests.support.exports import ROWS, total
from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, problem, send

DATES = csv_of(STATS, "05/06/2025,700,MOBILE,10,2,1,3.5")
NUMBERS = csv_of(STATS.replace(",", ";"), "2025-05-06;710;MOBILE;10;2;1;1,234")


def day(http: httpx.Client, campaign_id: int) -> dict[str, Any]:
    """The only point of a campaign's time series by day."""
    (point,) = exactly(http.get(f"/performance-time-series?aggregate_by=day&campaign_ids={campaign_id}"))
    found: dict[str, Any] = point
    return found


@pytest.mark.parametrize(("order", "expected"), [("dmy", "2025-06-05"), ("mdy", "2025-05-06")])
def test_a_question_about_dates_is_asked_and_answered(order: str, expected: str, http: httpx.Client) -> None:
    send(http, csv_of(AD_GROUPS, "700,Dates,700"))
    assert "?date_order=" in problem(http.post("/uploads", content=DATES), 422)

    upload = send(http, DATES, date_order=order)
    assert day(http, 700)["date"] == expected
    http.delete(f"/uploads/{upload['id']}")


@pytest.mark.parametrize(
    ("locale", "cost"), [("comma", "1.234"), ("point", "1234"), ("pt-BR", "1.234"), ("en", "1234")]
)
def test_a_question_about_numbers_is_asked_and_answered(locale: str, cost: str, http: httpx.Client) -> None:
    send(http, csv_of(AD_GROUPS, "710,Numbers,710"))
    assert "?locale=" in problem(http.post("/uploads", content=NUMBERS), 422)

    upload = send(http, NUMBERS, locale=locale)
    assert day(http, 710)["total_cost"] == Decimal(cost)
    http.delete(f"/uploads/{upload['id']}")


def test_a_question_about_the_encoding_is_asked_and_answered(http: httpx.Client) -> None:
    content = f"{CAMPAIGNS}\n720,Größe,\n".encode("windows-1252")
    assert "?encoding=" in problem(http.post("/uploads", content=content), 422)

    send(http, content, encoding="windows-1252")
    names = {campaign["campaign_id"]: campaign["campaign_name"] for campaign in exactly(http.get("/campaigns"))}
    assert names[720] == "Größe"


def test_the_same_file_read_in_another_way_is_another_upload(http: httpx.Client) -> None:
    read = [send(http, DATES, date_order=order)["id"] for order in ("dmy", "mdy", "dmy")]

    assert read[0] == read[2] != read[1]


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("date_order", "sideways", "dmy"),
        ("locale", "klingon", "pt-BR"),
        ("encoding", "morse", "windows-1252"),
        ("encoding", "base64", "windows-1252"),
        ("encoding", "", "windows-1252"),
        ("fixes", "7", "UUID"),
        ("dry_run", "perhaps", "dry_run"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_with_what_would(
    name: str, value: str, known: str, http: httpx.Client
) -> None:
    detail = problem(http.post("/uploads", content=csv_of(CAMPAIGNS, "730,No,"), params={name: value}), 400)

    assert name in detail
    assert known.lower() in detail.lower()


def test_a_dry_run_says_how_a_file_is_read_and_takes_nothing(http: httpx.Client) -> None:
    before = exactly(http.get("/uploads"))
    export = google.spreadsheet()
    files = [("file", ("report.csv", export.content)), ("file", ("c.csv", csv_of(CAMPAIGNS, "740,Dry,")))]
    answer = http.post("/uploads?dry_run=true", files=files)

    stats, campaigns = exactly(answer)["uploads"]
    assert (stats["filename"], stats["kind"], stats["rows_read"], stats["rows_rejected"]) == (
        "report.csv",
        "ad_group_stats",
        len(ROWS) + 1,
        0,
    )
    report = stats["report"]
    assert (report["delimiter"], report["header_line"], report["currency"]) == ("\t", 3, "USD")
    assert report["preamble"] == list(export.preamble)
    assert {"column": "cost", "header": "Cost"} in report["columns"]
    (cost,) = [each for each in report["reconciliation"] if each["metric"] == "cost"]
    assert (cost["rows"], cost["total"], cost["agrees"]) == (total(ROWS).cost, total(ROWS).cost, True)
    assert campaigns["report"]["currency"] is None
    assert exactly(http.get("/uploads")) == before
    assert all(each["campaign_id"] != 740 for each in exactly(http.get("/campaigns")))


def test_a_dry_run_has_the_id_that_the_upload_will_have(http: httpx.Client) -> None:
    content = csv_of(CAMPAIGNS, "750,Twice,")
    (checked,) = http.post("/uploads?dry_run=true", content=content).json()["uploads"]

    assert send(http, content)["id"] == checked["id"]


def test_a_dry_run_of_a_file_that_cannot_be_read_is_refused_as_the_file_is(http: httpx.Client) -> None:
    for content in (DATES, b"", b"\x89PNG\r\n\x1a\n\0\0"):
        dry, wet = (http.post("/uploads", content=content, params=params) for params in ({"dry_run": True}, {}))
        assert dry.status_code == wet.status_code
        assert dry.json() == wet.json()


@pytest.mark.parametrize("export", [google.portuguese(wide=True), other.tiktok()], ids=["Google, Brazil", "TikTok"])
def test_a_real_looking_export_gives_its_own_totals(export: Any, http: httpx.Client) -> None:
    groups = {each.ad_group_id for each in ROWS}
    send(http, csv_of(AD_GROUPS, *(f"{group},Group,760" for group in groups)))
    upload = send(http, export.content, headers={"Content-Type": "text/csv"})
    assert (upload["rows_rejected"], upload["rows_read"]) == (0, len(ROWS) + export.rows_total)

    (month,) = exactly(http.get("/performance-time-series?aggregate_by=month&campaign_ids=760"))
    expected = total(ROWS)
    assert month["total_cost"] == expected.cost
    assert month["total_clicks"] == expected.clicks
    assert month["total_conversions"] == expected.conversions
    http.delete(f"/uploads/{upload['id']}")
