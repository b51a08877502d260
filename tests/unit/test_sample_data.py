import csv
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "data"
NAMES = ("campaigns.csv", "ad_groups.csv", "ad_group_stats.csv")
DEVICES = {"MOBILE", "DESKTOP", "TABLET"}
METRICS = ("impressions", "clicks", "conversions", "cost")
NUMBER = re.compile(r"-?\d+(\.\d{1,6})?")


def is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


# The first one that holds is the reason.
REASONS: dict[str, Callable[[list[str]], bool]] = {
    "too few fields": lambda row: len(row) < 7,
    "too many fields": lambda row: len(row) > 7,
    "empty date": lambda row: not row[0],
    "impossible date": lambda row: not is_date(row[0]),
    "id over 2^63": lambda row: int(row[1]) > 2**63,
    "unknown device": lambda row: row[2] not in DEVICES,
    "text in a number": lambda row: not all(map(NUMBER.fullmatch, row[3:])),
    "negative clicks": lambda row: row[4].startswith("-"),
}


def read(name: str) -> list[list[str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def reason_against(row: list[str]) -> str:
    return next((reason for reason, holds in REASONS.items() if holds(row)), "")


def bad_rows() -> dict[int, tuple[str, str]]:
    rows = enumerate(read("ad_group_stats.csv"), start=2)
    return {line: (reason, ",".join(row)) for line, row in rows if (reason := reason_against(row))}


def good_rows() -> list[list[str]]:
    return [row for row in read("ad_group_stats.csv") if not reason_against(row)]


def keys() -> Counter[tuple[str, ...]]:
    return Counter(tuple(row[:3]) for row in good_rows())


def readme() -> str:
    return (DATA / "README.md").read_text(encoding="utf-8")


def stated(fact: str) -> Decimal:
    found = re.search(rf"^\| `?{re.escape(fact)}`? \| ([\d.]+) \|", readme(), re.MULTILINE)
    assert found, f"data/README.md does not state {fact}"
    return Decimal(found[1])


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_the_generator_reproduces_the_committed_files_byte_for_byte(tmp_path: Path, hash_seed: str) -> None:
    out = tmp_path / "made" / "when missing"
    command = [sys.executable, str(DATA / "generate.py"), "--out", str(out)]
    subprocess.run(command, check=True, cwd=tmp_path, env=os.environ | {"PYTHONHASHSEED": hash_seed})

    assert sorted(path.name for path in out.iterdir()) == sorted(NAMES)
    for name in NAMES:
        assert (out / name).read_bytes() == (DATA / name).read_bytes(), name


def test_the_generator_explains_itself() -> None:
    command = [sys.executable, str(DATA / "generate.py"), "--help"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    assert "--out DIR" in text
    assert all(name in text for name in NAMES)


def test_the_files_are_small_and_end_their_lines_with_lf() -> None:
    contents = [(DATA / name).read_bytes() for name in NAMES]

    assert sum(map(len, contents)) < 700_000
    assert all(content.endswith(b"\n") and b"\r" not in content for content in contents)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_states_how_many_rows_each_file_has(name: str) -> None:
    assert stated(name) == len(read(name))


def test_each_ad_group_belongs_to_a_campaign_and_each_good_row_to_an_ad_group() -> None:
    campaigns = {row[0] for row in read("campaigns.csv")}
    ad_groups = {row[0]: row[2] for row in read("ad_groups.csv")}

    assert (len(campaigns), len(ad_groups)) == (4, 15)
    assert set(ad_groups.values()) == campaigns
    assert {row[1] for row in good_rows()} == set(ad_groups)


def test_the_readme_lists_exactly_the_bad_rows_each_bad_in_its_own_way() -> None:
    listed = re.findall(r"^\| (\d+) \| ([^|]+) \| `(.+)` \|$", readme(), re.MULTILINE)
    bad = bad_rows()

    assert {int(line): (reason, text) for line, reason, text in listed} == bad
    assert len(bad) == 8
    assert {reason for reason, _ in bad.values()} == set(REASONS)


def test_the_readme_states_how_many_keys_are_repeated() -> None:
    repeated = [key for key, rows in keys().items() if rows > 1]

    assert f"{len(repeated)} keys (" in readme()
    assert set(keys().values()) == {1, 2}
    assert 0.01 < len(repeated) / len(good_rows()) < 0.02


def test_rows_with_the_same_key_have_different_metrics() -> None:
    assert len({tuple(row) for row in good_rows()}) == len(good_rows())


def test_the_readme_states_what_the_good_rows_add_up_to() -> None:
    assert stated("accepted rows") == len(good_rows())
    assert stated("keys") == len(keys())
    for column, metric in enumerate(METRICS, start=3):
        assert stated(metric) == sum(Decimal(row[column]) for row in good_rows()), metric


def test_each_day_of_2025_has_rows_and_the_newest_comes_first() -> None:
    days = [row[0] for row in good_rows()]

    assert days == sorted(days, reverse=True)
    assert set(days) == {(date(2025, 1, 1) + timedelta(days=day)).isoformat() for day in range(365)}


def test_each_device_is_there_but_not_on_each_day_for_each_ad_group() -> None:
    assert {key[2] for key in keys()} == DEVICES
    assert len(keys()) < 365 * 15 * 3


def test_nobody_clicks_what_was_not_shown_or_buys_what_was_not_clicked() -> None:
    for row in good_rows():
        shown, clicked, bought, cost = map(Decimal, row[3:])
        assert shown >= clicked >= bought >= 0, row
        assert cost >= 0, row


def test_numbers_have_no_trailing_zeros_and_some_conversions_are_fractions() -> None:
    numbers = [number for row in good_rows() for number in row[3:]]

    assert not [number for number in numbers if "." in number and number.endswith(("0", "."))]
    assert any("." in row[5] for row in good_rows())
