"""The command line as people and scripts use it: what it prints, and what it exits with."""

import json
import time
from pathlib import Path

import pytest

from tests.support.running import Running, command, running, wait_for

STATS = "date,ad_group_id,device,impressions,clicks,conversions,cost\n"
GOOD = f"{STATS}2026-01-01,71,MOBILE,10,1,0,1.5\n"


def file_of(folder: Path, content: str, name: str = "stats.csv") -> str:
    path = folder / name
    path.write_text(content)
    return str(path)


def test_an_upload_that_is_all_right_exits_with_0_and_can_be_read_at_once(adledger: Running, tmp_path: Path) -> None:
    done = command("upload", file_of(tmp_path, GOOD), "--url", adledger.url, "--json", settings={})
    (upload,) = json.loads(done.stdout)["uploads"]
    assert (done.returncode, upload["state"], upload["rows_accepted"]) == (0, "applied", 1)


def test_rejected_rows_are_shown_and_make_it_exit_with_1(adledger: Running, tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{GOOD}2026-01-02,71,MOBILE,-4,1,0,1.5\n")
    done = command("upload", path, settings={"ADLEDGER_URL": adledger.url})
    assert done.returncode == 1
    assert "is negative" in done.stdout


def test_a_file_that_is_refused_makes_it_exit_with_2_and_says_why(adledger: Running, tmp_path: Path) -> None:
    done = command("upload", file_of(tmp_path, "a,b\n1,2\n"), "--url", adledger.url, settings={})
    assert done.returncode == 2
    assert "ad_group_stats needs date" in done.stderr


@pytest.mark.parametrize("arguments", [("uploads",), ("upload", __file__), ("revert", "x")])
def test_nobody_at_the_address_makes_it_exit_with_3(arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "--url", "http://127.0.0.1:1", settings={})
    assert done.returncode == 3
    assert "No answer from http://127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_kind_and_mode_are_what_the_api_calls_them(adledger: Running, tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{STATS}2026-01-03,72,MOBILE,10,1,0,1.5\n")
    arguments = ("upload", path, "--kind", "ad_group_stats", "--mode", "add", "--url", adledger.url)
    assert command(*arguments, settings={}).returncode == 0


def test_an_upload_is_listed_and_can_be_taken_back(adledger: Running, tmp_path: Path) -> None:
    path = file_of(tmp_path, f"{STATS}2026-01-04,73,MOBILE,10,1,0,1.5\n", "mistake.csv")
    sent = command("upload", path, "--url", adledger.url, "--json", settings={})
    upload_id = json.loads(sent.stdout)["uploads"][0]["id"]
    taken_back = command("revert", upload_id, "--url", adledger.url, settings={})
    listed = json.loads(command("uploads", "--json", "--url", adledger.url, settings={}).stdout)
    assert (taken_back.returncode, taken_back.stdout) == (0, "Taken back.\n")
    assert {upload["id"]: upload["state"] for upload in listed}[upload_id] == "reverted"
    unknown = command("revert", "0b8f7c52-6b0e-5d0c-9a53-7f5f3f0e2a11", "--url", adledger.url, settings={})
    assert unknown.returncode == 2


@pytest.mark.parametrize("process", [("up",), ("serve", "query"), ("serve", "ingest"), ("consume",)])
def test_a_wrong_setting_is_named_in_a_sentence(process: tuple[str, ...]) -> None:
    done = command(*process, settings={"ADLEDGER_PORT": "many"})
    assert done.returncode == 2
    assert "ADLEDGER_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_named_at_once(adledger: Running, tmp_path: Path) -> None:
    port = adledger.url.rpartition(":")[2]
    done = command("up", settings={"ADLEDGER_PORT": port, "ADLEDGER_DATA_DIR": str(tmp_path)})
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("away", ["ADLEDGER_DATABASE_URL", "ADLEDGER_AMQP_URL"])
def test_a_consumer_that_waits_for_something_stops_when_it_is_told_to(
    away: str, database_url: str, tmp_path: Path
) -> None:
    settings = {
        "ADLEDGER_DATABASE_URL": database_url,
        "ADLEDGER_AMQP_URL": "amqp://guest:guest@127.0.0.1:1/",
        **({away: "postgresql://postgres@127.0.0.1:1/x"} if away == "ADLEDGER_DATABASE_URL" else {}),
    }
    with running(tmp_path, "consume", settings=settings, ready=False) as consumer:
        wait_for(consumer, "/health/live")
        begun = time.monotonic()
        assert consumer.stop() == 0
        assert time.monotonic() - begun < 10


def test_a_question_is_asked_with_the_options_of_the_command_line(adledger: Running, tmp_path: Path) -> None:
    server = {"ADLEDGER_URL": adledger.url}
    dates = file_of(tmp_path, f"{STATS}05/06/2025,74,MOBILE,10,1,0,1.5\n", "dates.csv")
    numbers = file_of(tmp_path, f"{STATS}2025-06-05,74,MOBILE,10,1,0,1.500\n", "numbers.csv")
    for path, option in ((dates, "--date-order dmy (day first)"), (numbers, "--locale point (1,234.56)")):
        asked = command("upload", path, settings=server)
        assert (asked.returncode, option in asked.stderr, "?" in asked.stderr) == (2, True, False)
        answer = " ".join(option.split()[:2]).split()
        assert command("upload", path, *answer, settings=server).returncode == 0


def test_what_a_person_reads_says_each_thing_once_and_in_the_words_of_the_command_line(
    adledger: Running, tmp_path: Path
) -> None:
    header = "Campaign,Campaign ID,Day,Ad group ID,Device,Impr.,Clicks,Conversions,Cost\n"
    rows = "Rain,75,2026-01-05,75,Computers,10,1,0.00,1.50\nTotal: Account,,,,,10,1,0.00,2.50\n"
    done = command("upload", file_of(tmp_path, header + rows), settings={"ADLEDGER_URL": adledger.url})
    assert done.stdout.count("2.5") == 1
    assert "send it again with --kind campaigns" in done.stdout
    assert "?" not in done.stdout
