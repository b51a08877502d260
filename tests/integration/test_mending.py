"""From refused rows to a whole file: fetch them, mend them, send them; over HTTP."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.files import AD_GROUPS, STATS, csv_of, exactly, send
from tests.support.running import Running, command

GOOD = "2024-03-01,{0},MOBILE,100,7,1,2.5"
BAD = "2024-03-02,{0},MOBILE,100,-3,1,2.5"
MENDED = "2024-03-02,{0},MOBILE,100,3,1,2.5"


def to_mend(http: httpx.Client, upload: dict[str, Any]) -> str:
    answer = http.get(f"/uploads/{upload['id']}/rejections", headers={"Accept": "text/csv"})
    assert answer.status_code == 200
    return answer.content.decode()


def clicks(http: httpx.Client, campaign_id: int) -> dict[str, int]:
    points = exactly(http.get("/performance-time-series", params={"aggregate_by": "day", "campaign_ids": campaign_id}))
    return {point["date"]: point["total_clicks"] for point in points}


def described(http: httpx.Client, number: int) -> int:
    """Describe an ad group and a campaign of this number; returns it."""
    send(http, csv_of(AD_GROUPS, f"{number},Group,{number}"))
    return number


def shown(http: httpx.Client, upload: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = exactly(http.get(f"/uploads/{upload['id']}"))
    return found


def test_refused_rows_mended_in_the_file_they_came_in_complete_the_upload(http: httpx.Client) -> None:
    number = described(http, 700)
    original = send(http, csv_of(STATS, GOOD.format(number), BAD.format(number)))
    fetched = to_mend(http, original)
    assert fetched == f"{STATS},line,column,value,reason\r\n{BAD.format(number)},3,clicks,-3,is negative\r\n"
    fix = send(http, fetched.replace(",-3,1,", ",3,1,").encode(), fixes=original["id"])
    assert (fix["state"], fix["rows_accepted"], fix["rows_rejected"]) == ("applied", 1, 0)
    assert clicks(http, number) == {"2024-03-01": 7, "2024-03-02": 3}
    assert shown(http, original)["fixed_by"] == fix["id"]
    assert shown(http, fix)["fixes"] == original["id"]


def test_what_is_still_wrong_comes_back_with_the_fix_and_can_be_mended_again(http: httpx.Client) -> None:
    number = described(http, 701)
    wrong = BAD.format(number).replace("2024-03-02", "2024-02-31")
    original = send(http, csv_of(STATS, GOOD.format(number), BAD.format(number), wrong))
    first = send(http, to_mend(http, original).replace(",-3,1,", ",3,1,").encode(), fixes=original["id"])
    assert (first["rows_accepted"], first["rows_rejected"]) == (1, 1)
    second = to_mend(http, first)
    assert second.splitlines()[1].startswith(wrong.replace(",-3,", ",3,"))
    send(http, second.replace("2024-02-31", "2024-02-28").encode(), fixes=first["id"])
    assert clicks(http, number) == {"2024-02-28": 3, "2024-03-01": 7, "2024-03-02": 3}


def test_the_file_to_mend_is_written_as_the_file_was(http: httpx.Client) -> None:
    header = ";".join(f'"{name}"' for name in STATS.split(","))
    refused = '"2024-03-02";"not a\nnumber, ""really""";MOBILE;100;3;1;2,5'
    upload = send(http, f"{header}\n2024-03-01;702;MOBILE;100;7;1;2,5\n{refused}\n".encode())
    assert upload["rows_rejected"] == 1
    fetched = to_mend(http, upload)
    assert fetched.startswith(f"{header};line;column;value;reason\r\n{refused};3;ad_group_id;")
    (row,) = csv.DictReader(io.StringIO(fetched, newline=""), delimiter=";")
    assert row["ad_group_id"] == row["value"] == 'not a\nnumber, "really"'
    fix = send(http, fetched.replace('"not a\nnumber, ""really"""', "702", 1).encode(), fixes=upload["id"])
    assert (fix["state"], fix["rows_accepted"], fix["rows_rejected"]) == ("applied", 1, 0)


def test_a_fix_waits_for_its_original_and_says_so(http: httpx.Client) -> None:
    unknown = uuid4()
    fix = send(http, csv_of(STATS, MENDED.format(703)), fixes=str(unknown))
    assert fix["state"] == "complete"
    assert shown(http, fix)["reason"] == f"It waits until {unknown}, which it mends, is applied."


def test_a_fix_is_shown_as_taken_back_when_its_original_is(http: httpx.Client) -> None:
    number = described(http, 704)
    original = send(http, csv_of(STATS, GOOD.format(number), BAD.format(number)))
    fix = send(http, csv_of(STATS, MENDED.format(number)), fixes=original["id"])
    assert http.delete(f"/uploads/{original['id']}").status_code == 200
    assert [shown(http, each)["state"] for each in (original, fix)] == ["reverted", "reverted"]
    assert clicks(http, number) == {}
    send(http, csv_of(STATS, GOOD.format(number), BAD.format(number)))
    assert [shown(http, each)["state"] for each in (original, fix)] == ["applied", "applied"]
    assert clicks(http, number) == {"2024-03-01": 7, "2024-03-02": 3}


def test_a_fix_of_another_kind_fails_and_says_why(http: httpx.Client) -> None:
    original = send(http, csv_of(STATS, GOOD.format(705), BAD.format(705)))
    fix = send(http, csv_of(AD_GROUPS, "705,Group,705"), fixes=original["id"])
    told = shown(http, fix)
    assert (told["state"], told["reason"]) == (
        "failed",
        f"It holds ad_groups (upsert), but {original['id']}, which it is to mend, holds ad_group_stats (upsert).",
    )
    assert shown(http, original)["fixed_by"] is None


def test_an_upload_is_shown_with_how_it_was_read_and_the_list_stays_light(http: httpx.Client) -> None:
    upload = send(http, b"Report of March\n" + csv_of(STATS + ",extra", GOOD.format(706) + ",x"))
    report = shown(http, upload)["report"]
    assert (report["encoding"], report["delimiter"], report["header_line"]) == ("utf-8", ",", 2)
    assert (report["preamble"], report["ignored"]) == (["Report of March"], ["extra"])
    (listed,) = exactly(http.get("/uploads?limit=1"))
    assert listed["id"] == upload["id"]
    assert "report" not in listed
    assert listed["sender"] == "127.0.0.1"


def test_the_command_line_leads_from_refused_rows_to_a_mended_file(
    adledger: Running, http: httpx.Client, tmp_path: Path
) -> None:
    number = described(http, 707)
    source = tmp_path / "march.csv"
    # Only the whole file tells in which order day and month stand.
    days = [f"{day:02}/03/2024,{number},MOBILE,100,{clicks},1,2.5" for day, clicks in ((1, 7), (2, -3), (31, 5))]
    source.write_bytes(csv_of(STATS, *days))
    server = {"ADLEDGER_URL": adledger.url}
    sent = command("upload", str(source), settings=server)
    assert sent.returncode == 1
    upload_id = exactly(http.get("/uploads?limit=1"))[0]["id"]
    assert f"adledger rejections {upload_id} -o mend.csv" in sent.stdout
    mend = tmp_path / "mend.csv"
    fetched = command("rejections", upload_id, "-o", str(mend), settings=server)
    assert fetched.stdout == f"Mend the rows in {mend}, and then: adledger upload {mend} --fixes {upload_id}\n"
    mend.write_bytes(mend.read_bytes().replace(b",-3,1,", b",3,1,"))
    assert command("upload", str(mend), "--fixes", upload_id, settings=server).returncode == 0
    assert clicks(http, number) == {"2024-03-01": 7, "2024-03-02": 3, "2024-03-31": 5}


def test_a_dry_run_says_what_would_be_taken_and_takes_nothing(
    adledger: Running, http: httpx.Client, tmp_path: Path
) -> None:
    source = tmp_path / "dry.csv"
    source.write_bytes(csv_of(STATS, GOOD.format(708), BAD.format(708)))
    before = exactly(http.get("/uploads"))
    tried = command("upload", str(source), "--dry-run", "--json", settings={"ADLEDGER_URL": adledger.url})
    (upload,) = json.loads(tried.stdout)["uploads"]
    assert (tried.returncode, upload["rows_accepted"], upload["rows_rejected"]) == (1, 1, 1)
    assert exactly(http.get("/uploads")) == before


@pytest.mark.parametrize("arguments", [("rejections", str(uuid4())), ("upload", __file__, "--fixes", str(uuid4()))])
def test_an_unknown_upload_is_refused_at_once(arguments: tuple[str, ...], adledger: Running) -> None:
    done = command(*arguments, settings={"ADLEDGER_URL": adledger.url})
    assert done.returncode == 2
    assert "is known yet" in done.stderr
