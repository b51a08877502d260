"""How campaigns come to be, are renamed, and get the stats that came before them; over HTTP."""

from typing import Any

import httpx
import pytest

from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, problem, send


def campaign(http: httpx.Client, campaign_id: int | None) -> dict[str, Any] | None:
    listed = exactly(http.get("/campaigns"))
    return next((each for each in listed if each["campaign_id"] == campaign_id), None)


def name_of(http: httpx.Client, campaign_id: int) -> str | None:
    found = campaign(http, campaign_id)
    assert found is not None
    name: str | None = found["campaign_name"]
    return name


def rename(http: httpx.Client, campaign_id: int, name: str) -> httpx.Response:
    return http.patch(f"/campaigns/{campaign_id}", json={"name": name})


def test_stats_are_unattributed_until_their_ad_group_is_described_and_then_they_move(http: httpx.Client) -> None:
    send(http, csv_of(STATS, "2024-05-01,301,MOBILE,10,2,1,3.5"))
    unattributed = campaign(http, None)
    assert unattributed is not None
    assert (unattributed["campaign_name"], unattributed["ad_group_names"]) == ("Unattributed", ["301"])
    send(http, csv_of(AD_GROUPS, "301,Tents,300"))
    assert campaign(http, None) is None
    moved = campaign(http, 300)
    assert moved is not None
    assert (moved["ad_group_names"], moved["average_monthly_cost"]) == (["Tents"], 3.5)
    (point,) = exactly(http.get("/performance-time-series?aggregate_by=day"))
    assert (point["campaign_id"], point["total_clicks"]) == (300, 2)


def test_an_ad_group_that_moves_takes_its_past_with_it(http: httpx.Client) -> None:
    send(http, csv_of(STATS, "2024-05-01,306,MOBILE,10,2,1,3.5"))
    for campaign_id in (305, 306):
        send(http, csv_of(AD_GROUPS, f"306,Moving,{campaign_id}"))
    points = exactly(http.get("/performance-time-series?aggregate_by=day&campaign_ids=305&campaign_ids=306"))
    assert [(point["campaign_id"], point["total_clicks"]) for point in points] == [(306, 2)]
    assert campaign(http, 305) is None


def test_a_rename_is_answered_with_the_campaign_and_can_be_read_at_once(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "310,Old,SEARCH"))
    answer = rename(http, 310, "New")
    assert (answer.status_code, answer.json()) == (200, {"id": 310, "name": "New", "type": "SEARCH"})
    assert name_of(http, 310) == "New"


def test_a_rename_shows_in_the_time_series_too(http: httpx.Client) -> None:
    send(http, csv_of(STATS, "2024-05-01,311,MOBILE,10,2,1,3.5"))
    send(http, csv_of(AD_GROUPS, "311,Group,311"))
    assert rename(http, 311, "Seen").status_code == 200
    (point,) = exactly(http.get("/performance-time-series?aggregate_by=week&campaign_ids=311"))
    assert point["campaign_name"] == "Seen"


@pytest.mark.parametrize("name", ["a\tb\\c\nd", 'quo"ted, "and" comma', "Größe 東京 🏕", "\\N", "x" * 1000, "NULL"])
def test_a_name_comes_back_as_it_was_sent(name: str, http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "312,Plain,"))
    assert rename(http, 312, name).json()["name"] == name
    assert name_of(http, 312) == name


def test_spaces_around_a_name_are_dropped(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "313,Plain,"))
    assert rename(http, 313, "  Tidy ").json()["name"] == "Tidy"


def test_a_later_file_overrides_a_rename_and_a_later_rename_the_file(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "314,From a file,SEARCH"))
    rename(http, 314, "Renamed")
    send(http, csv_of(CAMPAIGNS, "314,From a later file,"))
    assert name_of(http, 314) == "From a later file"
    assert rename(http, 314, "Renamed").json() == {"id": 314, "name": "Renamed", "type": "SEARCH"}
    assert name_of(http, 314) == "Renamed"


def test_a_file_that_says_nothing_of_the_name_leaves_a_rename_alone(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "315,From a file,"))
    rename(http, 315, "Renamed")
    send(http, csv_of(CAMPAIGNS, "315,,DISPLAY"))
    found = campaign(http, 315)
    assert found is not None
    assert (found["campaign_name"], found["campaign_type"]) == ("Renamed", "DISPLAY")


def test_a_campaign_that_only_an_ad_group_names_can_be_renamed(http: httpx.Client) -> None:
    send(http, csv_of(AD_GROUPS, "316,Group,316"))
    assert name_of(http, 316) is None
    assert rename(http, 316, "Named now").json() == {"id": 316, "name": "Named now", "type": None}
    assert name_of(http, 316) == "Named now"


def test_a_rename_of_an_unknown_campaign_is_a_404_and_creates_nothing(http: httpx.Client) -> None:
    before = exactly(http.get("/uploads"))
    assert "317" in problem(rename(http, 317, "Nobody"), 404)
    assert campaign(http, 317) is None
    assert exactly(http.get("/uploads")) == before


def test_unattributed_cannot_be_renamed(http: httpx.Client) -> None:
    send(http, csv_of(STATS, "2024-05-01,318,MOBILE,10,2,1,3.5"))
    assert rename(http, -1, "Mine").status_code in {400, 404}
    unattributed = campaign(http, None)
    assert unattributed is not None
    assert unattributed["campaign_name"] == "Unattributed"


def test_a_rename_is_an_upload_like_any_other(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "319,Old,"))
    assert rename(http, 319, "New").status_code == 200
    newest = exactly(http.get("/uploads?limit=1"))[0]
    assert (newest["kind"], newest["rows_accepted"], newest["state"]) == ("campaigns", 1, "applied")


def test_the_same_rename_counts_each_time_it_is_asked_for(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "320,Old,"))
    for name in ("New", "Other", "New"):
        rename(http, 320, name)
    assert name_of(http, 320) == "New"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "body: "),
        (b"{", "The body is not JSON: "),
        (b"name=New", "The body is not JSON: "),
        (b"[]", "body: Expected `object`, got `array`."),
        (b"null", "body: Expected `object`, got `null`."),
        (b"{}", "missing required field `name`"),
        (b'{"name": 1}', "name: Expected `str`, got `int`."),
        (b'{"name": null}', "name: Expected `str`, got `null`."),
        (b'{"name": ""}', "name: Send 1 to 1000 characters"),
        (b'{"name": " \\t "}', "name: Send 1 to 1000 characters"),
        (b'{"name": "a\\u0000b"}', "name: Send 1 to 1000 characters"),
        (b'{"name": "' + b"x" * 1001 + b'"}', "name: Send 1 to 1000 characters"),
        (b'{"name": "New", "budget": 5}', "unknown field `budget`"),
    ],
)
def test_a_rename_that_says_no_name_is_refused_with_what_is_wrong(body: bytes, said: str, http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, "321,Kept,"))
    answer = http.patch("/campaigns/321", content=body, headers={"Content-Type": "application/json"})
    assert said in problem(answer, 400)
    assert name_of(http, 321) == "Kept"


@pytest.mark.parametrize("campaign_id", [2**63, 10**30, -5])
def test_a_number_that_can_be_no_campaign_s_id_is_refused(campaign_id: int, http: httpx.Client) -> None:
    assert problem(rename(http, campaign_id, "New"), 400).startswith("campaign_id: ")


@pytest.mark.parametrize("campaign_id", ["abc", "1.5"])
def test_an_address_that_names_no_number_is_a_404(campaign_id: str, http: httpx.Client) -> None:
    assert problem(http.patch(f"/campaigns/{campaign_id}", json={"name": "New"}), 404)


def test_the_largest_id_there_can_be_is_a_campaign_like_any_other(http: httpx.Client) -> None:
    send(http, csv_of(CAMPAIGNS, f"{2**63 - 1},Old,"))
    assert rename(http, 2**63 - 1, "Largest").json()["id"] == 2**63 - 1
    assert name_of(http, 2**63 - 1) == "Largest"
