"""Whether an adledger does its job, seen over HTTP alone: `ADLEDGER_URL=https://… pytest tests/api` asks a live one.

What it sends has ids that no other run has, and is taken back at the end.
"""

import csv
import io
from uuid import UUID

import pytest

from tests.support.client import Client

CAMPAIGNS = "campaign_id,campaign_name,campaign_type\n"
AD_GROUPS = "ad_group_id,ad_group_name,campaign_id\n"
STATS = "date,ad_group_id,device,impressions,clicks,conversions,cost\n"


@pytest.fixture(scope="module")
def campaign_id(client: Client) -> int:
    """A campaign with two ad groups and stats in two months, sent all at once."""
    campaign = client.run
    stats = (
        f"2024-12-30,{campaign},MOBILE,100,10,2,1.25\n"
        f"2025-01-02,{campaign + 1},DESKTOP,300,30,0.5,2\n"
        f"2025-01-02,{campaign + 1},DESKTOP,100,10,0,1\n"
    )
    uploads = client.send(
        ("stats.csv", STATS + stats),
        ("groups.csv", f"{AD_GROUPS}{campaign},Boots,{campaign}\n{campaign + 1},Sandals,{campaign}\n"),
        ("campaigns.csv", f"{CAMPAIGNS}{campaign},Smoke {campaign},SEARCH\n"),
    )
    assert [upload["state"] for upload in uploads] == ["applied"] * 3
    assert [upload["kind"] for upload in uploads] == ["ad_group_stats", "ad_groups", "campaigns"]
    assert [upload["rows_merged"] for upload in uploads] == [1, 0, 0]
    return campaign


def test_it_lives_and_is_ready(client: Client) -> None:
    assert client.http.get("/health/live").status_code == 200
    assert client.http.get("/health/ready").status_code == 200


def test_it_documents_both_services_at_one_address(client: Client) -> None:
    assert client.http.get("/", follow_redirects=True).status_code == 200
    paths = client.http.get("/schema/openapi.json").json()["paths"]
    assert {"get", "post"} <= paths["/uploads"].keys()
    assert {"/campaigns", "/performance-time-series", "/compare-performance"} <= paths.keys()


def test_the_campaign_comes_back_with_its_ad_groups_and_averages(client: Client, campaign_id: int) -> None:
    found = client.campaign(campaign_id)
    assert found is not None
    assert found["ad_group_names"] == ["Boots", "Sandals"]
    assert found["num_ad_groups"] == 2
    assert found["average_monthly_cost"] == 2.125
    assert found["average_cost_per_conversion"] == 1.7


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("day", [("2024-12-30", 1.25, 10), ("2025-01-02", 3, 40)]),
        ("week", [("2024-12-30", 4.25, 50)]),
        ("month", [("2024-12-01", 1.25, 10), ("2025-01-01", 3, 40)]),
    ],
)
def test_the_numbers_come_back_by(
    step: str, expected: list[tuple[str, float, int]], client: Client, campaign_id: int
) -> None:
    points = client.series(campaign_id, step)
    assert [(point["date"], point["total_cost"], point["total_clicks"]) for point in points] == expected


@pytest.mark.usefixtures("campaign_id")
def test_a_period_is_compared_with_the_month_before(client: Client) -> None:
    query = {"start_date": "2025-01-01", "end_date": "2025-01-31", "compare_mode": "previous_month"}
    compared = client.http.get("/compare-performance", params=query).json()
    before, current = compared["before_period"], compared["current_period"]
    assert (before["start_date"], before["end_date"]) == ("2024-12-01", "2024-12-31")
    assert before["total_clicks"] >= 10
    assert current["total_clicks"] >= 40
    change = (current["total_clicks"] - before["total_clicks"]) / before["total_clicks"] * 100
    assert compared["change_in_percentage"]["total_clicks"] == pytest.approx(change, abs=1e-6)


def test_a_file_sent_twice_does_not_count_twice(client: Client, campaign_id: int) -> None:
    name, text = "stats.csv", f"{STATS}2024-12-30,{campaign_id},MOBILE,100,10,2,1.25\n"
    first, again = client.send((name, text))[0], client.send((name, text))[0]
    assert first["id"] == again["id"]
    assert client.series(campaign_id)[0]["total_clicks"] == 10


def test_a_rename_is_read_back(client: Client, campaign_id: int) -> None:
    name = f"Renamed {campaign_id}"
    answer = client.http.patch(f"/campaigns/{campaign_id}", json={"name": name})
    if answer.status_code == 202:
        assert client.settled(answer.headers["location"])["state"] == "applied"
    else:
        assert (answer.status_code, answer.json()) == (200, {"id": campaign_id, "name": name, "type": "SEARCH"})
    found = client.campaign(campaign_id)
    assert found is not None
    assert found["campaign_name"] == name
    assert {point["campaign_name"] for point in client.series(campaign_id)} == {name}


def test_a_rejected_row_comes_back_and_the_others_count(client: Client) -> None:
    campaign = client.run + 10
    client.send(("groups.csv", f"{AD_GROUPS}{campaign},Only,{campaign}\n"))
    text = f"{STATS}2025-01-02,{campaign},MOBILE,1,-1,0,0\n2025-01-03,{campaign},MOBILE,100,5,0,1\n"
    (upload,) = client.send(("partly.csv", text))
    assert (upload["state"], upload["rows_accepted"], upload["rows_rejected"]) == ("applied", 1, 1)
    address = f"/uploads/{upload['id']}/rejections"
    (rejection,) = client.http.get(address).json()
    assert (rejection["line"], rejection["column"], rejection["value"]) == (2, "clicks", "-1")
    as_csv = client.http.get(address, headers={"Accept": "text/csv"}).text
    assert list(csv.reader(io.StringIO(as_csv)))[1][-4:] == ["2", "clicks", "-1", rejection["reason"]]
    mended = as_csv.replace(",1,-1,", ",1,1,")
    (fix,) = client.send(("mended.csv", mended), fixes=upload["id"])
    assert (fix["state"], fix["rows_accepted"]) == ("applied", 1)
    client.wait_until(lambda: client.series(campaign)[0]["total_clicks"] == 6)
    client.take_back(fix["id"])
    client.wait_until(lambda: client.series(campaign)[0]["total_clicks"] == 5)
    assert client.series(campaign)[0]["total_clicks"] == 5


def test_an_upload_taken_back_counts_no_more_until_it_is_sent_again(client: Client) -> None:
    campaign = client.run + 20
    client.send(("groups.csv", f"{AD_GROUPS}{campaign},Only,{campaign}\n"))
    stats = ("stats.csv", f"{STATS}2025-01-02,{campaign},MOBILE,100,5,0,1\n")
    (upload,) = client.send(stats)
    assert client.series(campaign)[0]["total_clicks"] == 5
    client.take_back(upload["id"])
    client.wait_until(lambda: client.series(campaign) == [])
    client.send(stats)
    assert client.series(campaign)[0]["total_clicks"] == 5


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/performance-time-series?aggregate_by=year", 400, "day, week, month"),
        ("/performance-time-series?aggregate_by=day&start_date=2025-02-30", 400, "start_date"),
        (f"/uploads/{UUID(int=1)}", 404, "ask again"),
        ("/nothing", 404, "Nothing is at /nothing"),
    ],
)
def test_a_bad_request_is_answered_with_a_reason(path: str, status: int, said: str, client: Client) -> None:
    answer = client.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 422), (b"Day,Amount\n1,2\n", 422), (b"\0\0\0\0", 415)],
    ids=["empty", "other", "binary"],
)
def test_a_file_that_cannot_be_read_is_refused(content: bytes, status: int, client: Client) -> None:
    answer = client.http.post("/uploads", content=content, params={"filename": "bad.csv"})
    assert answer.status_code == status
    assert answer.json()["files"][0]["filename"] == "bad.csv"
