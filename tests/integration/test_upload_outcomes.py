"""What becomes of an upload: its state, its rejected rows, and what sending again means; over HTTP."""

import csv
import io
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, problem, send

REJECTED = csv_of(
    STATS,
    "2024-02-30,201,MOBILE,10,2,1,3.5",
    '2024-02-01,201,"TA""B,LET",10,2,1,3.5',
    "2024-02-01,201,MOBILE,10",
    "2024-02-02,201,MOBILE,10,-2,1,3.5",
    "2024-02-03,201,MOBILE,10,2,1,3.5",
)


def sums(http: httpx.Client, campaign_id: int) -> tuple[Any, ...]:
    """The total cost, clicks, conversions and impressions of a campaign."""
    parameters = {"aggregate_by": "month", "campaign_ids": campaign_id}
    (point,) = exactly(http.get("/performance-time-series", params=parameters))
    return tuple(point[f"total_{name}"] for name in ("cost", "clicks", "conversions", "impressions"))


def stats_of(http: httpx.Client, campaign_id: int, clicks: int) -> bytes:
    """A file of one row with so many clicks, for a campaign with one ad group."""
    send(http, csv_of(AD_GROUPS, f"{campaign_id},Only,{campaign_id}"))
    return csv_of(STATS, f"2024-03-01,{campaign_id},MOBILE,100,{clicks},1,2.5")


def test_rejected_rows_do_not_hinder_the_others_and_come_back_with_their_reasons(http: httpx.Client) -> None:
    upload = send(http, REJECTED, filename="february.csv")
    assert (upload["rows_read"], upload["rows_accepted"], upload["rows_rejected"]) == (5, 1, 4)
    answer = http.get(f"/uploads/{upload['id']}/rejections")
    assert answer.headers["content-type"] == "application/json"
    rejections = exactly(answer)
    assert [(each["line"], each["column"], each["value"]) for each in rejections] == [
        (2, "date", "2024-02-30"),
        (3, "device", 'TA"B,LET'),
        (4, None, "2024-02-01,201,MOBILE,10"),
        (5, "clicks", "-2"),
    ]
    assert rejections[0]["reason"] == "is not a day of the calendar"
    assert rejections[3]["reason"] == "is negative"
    assert rejections[2]["reason"] == "has 4 fields, the header has 7"


def test_rejected_rows_are_a_csv_file_for_those_who_ask_for_one(http: httpx.Client) -> None:
    upload = send(http, REJECTED)
    as_json = exactly(http.get(f"/uploads/{upload['id']}/rejections"))
    answer = http.get(f"/uploads/{upload['id']}/rejections", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="rejections-{upload["id"]}.csv"'
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    told = ["line", "column", "value", "reason"]
    assert header == [*STATS.split(","), *told]
    assert [row[-4:] for row in rows] == [[str(each[name] or "") for name in told] for each in as_json]
    assert [row[:-4] for row in rows] == list(csv.reader(REJECTED.decode().splitlines()[1:5]))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/json"),
        ("text/csv;q=0.1, application/json", "application/json"),
        ("text/csv, application/json;q=0.1", "text/csv; charset=utf-8"),
    ],
)
def test_rejected_rows_come_in_the_form_that_is_liked_best(accept: str, content_type: str, http: httpx.Client) -> None:
    upload = send(http, REJECTED)
    answer = http.get(f"/uploads/{upload['id']}/rejections", headers={"Accept": accept})
    assert answer.headers["content-type"] == content_type


def test_an_upload_without_rejected_rows_has_an_empty_list_of_them(http: httpx.Client) -> None:
    upload = send(http, csv_of(CAMPAIGNS, "210,Clean,"))
    address = f"/uploads/{upload['id']}/rejections"
    assert exactly(http.get(address)) == []
    assert http.get(address, headers={"Accept": "text/csv"}).text == f"{CAMPAIGNS},line,column,value,reason\r\n"


def test_a_file_of_nothing_but_rejected_rows_is_accepted_and_loads_nothing(http: httpx.Client) -> None:
    upload = send(http, csv_of(CAMPAIGNS, "two,Two,", "-3,Three,"))
    assert (upload["state"], upload["rows_accepted"], upload["rows_rejected"]) == ("applied", 0, 2)
    assert len(exactly(http.get(f"/uploads/{upload['id']}/rejections"))) == 2
    assert not {"Two", "Three"} & {campaign["campaign_name"] for campaign in exactly(http.get("/campaigns"))}


def test_an_upload_is_shown_as_it_was_accepted_and_how_it_went_on(http: httpx.Client) -> None:
    accepted = send(http, REJECTED, filename="shown.csv")
    shown = exactly(http.get(f"/uploads/{accepted['id']}"))
    assert {name: shown[name] for name in accepted} == accepted
    assert (shown["state"], shown["reason"], shown["batches_seen"]) == ("applied", None, shown["batches"])
    received, applied = (datetime.fromisoformat(shown[name]) for name in ("received_at", "applied_at"))
    assert received.utcoffset() is not None
    assert received < applied


@pytest.mark.parametrize("path", ["", "/rejections"])
def test_an_unknown_upload_is_a_404_that_says_when_to_ask_again(path: str, http: httpx.Client) -> None:
    unknown = uuid4()
    answer = http.get(f"/uploads/{unknown}{path}", headers={"Accept": "text/csv"})
    assert str(unknown) in problem(answer, 404)
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_no_upload_id_is_a_404_too(http: httpx.Client) -> None:
    assert problem(http.get("/uploads/latest"), 404)


def test_uploads_are_listed_newest_first_as_many_as_asked_for(http: httpx.Client) -> None:
    sent = [send(http, csv_of(CAMPAIGNS, f"{number},Listed,"))["id"] for number in (220, 221, 222)]
    assert [upload["id"] for upload in exactly(http.get("/uploads?limit=3"))] == sent[::-1]
    listed = exactly(http.get("/uploads"))
    assert [upload["id"] for upload in listed[:3]] == sent[::-1]
    times = [upload["received_at"] for upload in listed]
    assert times == sorted(times, reverse=True)
    assert exactly(http.get("/uploads?limit=1")) == listed[:1]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "99999999999999999999"])
def test_a_limit_that_makes_no_sense_is_refused_by_name(limit: str, http: httpx.Client) -> None:
    assert problem(http.get("/uploads", params={"limit": limit}), 400).startswith("limit: ")


def test_an_upload_sent_again_moves_to_the_top_of_the_list_instead_of_being_listed_twice(http: httpx.Client) -> None:
    first, second = (csv_of(CAMPAIGNS, f"{number},Again,") for number in (230, 231))
    ids = [send(http, content)["id"] for content in (first, second, first)]
    assert ids[0] == ids[2]
    listed = exactly(http.get("/uploads"))
    assert [upload["id"] for upload in listed[:2]] == [ids[0], ids[1]]
    assert [upload["attempts"] for upload in listed[:2]] == [2, 1]
    assert [upload["id"] for upload in listed].count(ids[0]) == 1


def test_rows_of_one_key_within_a_file_are_added_up_and_counted_as_merged(http: httpx.Client) -> None:
    stats_of(http, 240, 0)
    upload = send(http, csv_of(STATS, *["2024-03-01,240,MOBILE,100,5,1,0.000001"] * 3))
    assert (upload["rows_read"], upload["rows_accepted"], upload["rows_merged"]) == (3, 1, 2)
    cost, *rest = sums(http, 240)
    assert (str(cost), rest) == ("0.000003", [15, 3, 300])


def test_the_same_file_sent_twice_does_not_double_anything(http: httpx.Client) -> None:
    content = stats_of(http, 241, clicks=7)
    first = send(http, content)
    once = sums(http, 241)
    again = send(http, content, filename="another name.csv")
    assert first["id"] == again["id"]
    assert sums(http, 241) == once == (2.5, 7, 1, 100)


def test_a_later_file_replaces_the_values_of_its_keys(http: httpx.Client) -> None:
    send(http, stats_of(http, 242, clicks=7))
    send(http, stats_of(http, 242, clicks=9))
    assert sums(http, 242) == (2.5, 9, 1, 100)


def test_a_file_sent_again_is_the_latest_word_again(http: httpx.Client) -> None:
    for clicks in (7, 9, 7):
        send(http, stats_of(http, 243, clicks))
    assert sums(http, 243) == (2.5, 7, 1, 100)


def test_a_repeat_under_the_same_idempotency_key_changes_nothing(http: httpx.Client) -> None:
    key = {"Idempotency-Key": "244"}
    first = send(http, stats_of(http, 244, clicks=7), key)
    send(http, stats_of(http, 244, clicks=9))
    repeat = send(http, stats_of(http, 244, clicks=7), key)
    assert repeat["id"] == first["id"]
    assert sums(http, 244) == (2.5, 9, 1, 100)


def test_the_same_file_under_another_key_is_another_upload(http: httpx.Client) -> None:
    content = stats_of(http, 245, clicks=7)
    ids = {send(http, content, headers)["id"] for headers in ({}, {"Idempotency-Key": "a"}, {"Idempotency-Key": "b"})}
    assert len(ids) == 3


def test_adding_adds_to_what_there_is_and_once_only(http: httpx.Client) -> None:
    send(http, stats_of(http, 246, clicks=7))
    addition = stats_of(http, 246, clicks=5)
    send(http, addition, mode="add")
    assert sums(http, 246) == (5, 12, 2, 200)
    send(http, addition, mode="add")
    assert sums(http, 246) == (5, 12, 2, 200)
    send(http, addition, {"Idempotency-Key": "once more"}, mode="add")
    assert sums(http, 246) == (7.5, 17, 3, 300)


def test_adding_to_nothing_is_the_value_and_a_later_file_replaces_it(http: httpx.Client) -> None:
    send(http, stats_of(http, 247, clicks=5), mode="add")
    assert sums(http, 247) == (2.5, 5, 1, 100)
    send(http, stats_of(http, 247, clicks=7))
    assert sums(http, 247) == (2.5, 7, 1, 100)
