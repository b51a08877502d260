"""What may be sent to `POST /uploads`, and what is refused: over HTTP, against a real process."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import zstandard

from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, problem, send, spooled
from tests.support.running import running

LIMIT = 100_000
PACKERS = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}
packers = pytest.mark.parametrize("encoding", PACKERS)
ways = pytest.mark.parametrize("way", ["by its magic", "by its Content-Encoding"])


@pytest.fixture(scope="module")
def small(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of an adledger that takes 100,000 bytes at the most; no request leaves anything on its disk."""
    folder = tmp_path_factory.mktemp("small")
    settings = {"ADLEDGER_DATABASE_URL": module_database_url, "ADLEDGER_MAX_UPLOAD_BYTES": str(LIMIT)}
    with running(folder, "up", settings=settings) as started, started.http() as client:
        yield client
        assert spooled(folder / "data") == []


@pytest.fixture
def http(http: httpx.Client, module_folder: Path) -> Iterator[httpx.Client]:
    """A client of the module's adledger, on whose disk no request leaves anything."""
    yield http
    assert spooled(module_folder / "data") == []


def names(http: httpx.Client) -> dict[int, str]:
    return {campaign["campaign_id"]: campaign["campaign_name"] for campaign in exactly(http.get("/campaigns"))}


def multipart(*parts: tuple[str, str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [(part, (filename, content)) for part, filename, content in parts]


def declared(way: str, encoding: str) -> dict[str, str]:
    return {"Content-Encoding": encoding} if way == "by its Content-Encoding" else {}


def test_files_of_all_kinds_in_one_request_are_recognised_and_answered_in_their_order(http: httpx.Client) -> None:
    files = multipart(
        ("file", "numbers.csv", csv_of(STATS, "2024-01-01,101,MOBILE,10,2,1,3.5")),
        ("file", "groups.csv", csv_of(AD_GROUPS, "101,Tents,100")),
        ("file", "campaigns.csv", csv_of(CAMPAIGNS, "100,Camping,SEARCH")),
    )
    answer = http.post("/uploads", files=files)
    assert answer.status_code == 202
    assert [(upload["filename"], upload["kind"], upload["state"]) for upload in answer.json()["uploads"]] == [
        ("numbers.csv", "ad_group_stats", "applied"),
        ("groups.csv", "ad_groups", "applied"),
        ("campaigns.csv", "campaigns", "applied"),
    ]
    (point,) = exactly(http.get("/performance-time-series?aggregate_by=day&campaign_ids=100"))
    assert (point["campaign_name"], point["total_clicks"]) == ("Camping", 2)


def test_parts_with_other_names_are_passed_over_beside_a_file(http: httpx.Client) -> None:
    files = multipart(("comment", "", b"for you"), ("file", "c.csv", csv_of(CAMPAIGNS, "110,Beside,")))
    assert len(http.post("/uploads", files=files).json()["uploads"]) == 1
    assert names(http)[110] == "Beside"


@pytest.mark.parametrize(
    ("query", "filename"),
    [
        ({"filename": "march.csv"}, "march.csv"),
        ({"filename": "../..\\etc/pass\0wd.csv"}, "passwd.csv"),
        ({"filename": "Größe 東.csv"}, "Größe 東.csv"),
        ({}, "upload.csv"),
    ],
)
def test_a_raw_body_is_a_file_under_the_name_it_is_given(
    query: dict[str, str], filename: str, http: httpx.Client
) -> None:
    assert send(http, csv_of(CAMPAIGNS, "120,Raw,"), **query)["filename"] == filename
    assert exactly(http.get("/uploads?limit=1"))[0]["filename"] == filename


@packers
@ways
def test_a_packed_file_is_the_same_upload_as_the_plain_one(encoding: str, way: str, http: httpx.Client) -> None:
    content = csv_of(CAMPAIGNS, f"130,Packed with {encoding},")
    packed = send(http, PACKERS[encoding](content), declared(way, encoding))
    assert names(http)[130] == f"Packed with {encoding}"
    assert send(http, content)["id"] == packed["id"]


@packers
def test_a_packed_form_may_hold_packed_files(encoding: str, http: httpx.Client) -> None:
    files = multipart(("file", "c.csv.gz", PACKERS[encoding](csv_of(CAMPAIGNS, f"140,Twice {encoding},"))))
    form = http.build_request("POST", "/uploads", files=files)
    headers = {"Content-Type": form.headers["Content-Type"], "Content-Encoding": encoding}
    assert http.post("/uploads", content=PACKERS[encoding](form.read()), headers=headers).status_code == 202
    assert names(http)[140] == f"Twice {encoding}"


def test_an_encoding_that_is_not_known_is_refused_with_those_that_are(http: httpx.Client) -> None:
    answer = http.post("/uploads", content=b"?", headers={"Content-Encoding": "br"})
    assert problem(answer, 415) == "Content-Encoding 'br' is not known here; send gzip, zstd or plain text."


@packers
@ways
def test_an_archive_that_is_cut_off_is_refused_and_not_half_loaded(encoding: str, way: str, http: httpx.Client) -> None:
    content = csv_of(CAMPAIGNS, *(f"{number},{os.urandom(8).hex()}," for number in range(15_000, 16_000)))
    answer = http.post("/uploads", content=PACKERS[encoding](content)[:-5], headers=declared(way, encoding))
    assert problem(answer, 400).startswith(f"The body is broken: The {encoding} data is broken")
    assert 15_000 not in names(http)


def test_a_form_without_a_part_named_file_is_refused_with_the_names_it_has(http: httpx.Client) -> None:
    answer = http.post("/uploads", files=multipart(("data", "c.csv", b"x"), ("csv", "d.csv", b"x")))
    assert problem(answer, 400) == "Send each file as a part named 'file' (found: data, csv)."


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ncampaign_id'),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Dis"),
        ("multipart/form-data; boundary=x", b"no form at all"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\ncampaign_id\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data", b"--x\r\n"),
    ],
    ids=["cut in a file", "cut in a head", "no form", "a part without a name", "nothing", "no part", "no boundary"],
)
def test_a_broken_form_is_refused(content_type: str, body: bytes, http: httpx.Client) -> None:
    assert problem(http.post("/uploads", content=body, headers={"Content-Type": content_type}), 400)


def test_a_form_of_a_hundred_thousand_parts_is_refused(http: httpx.Client) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert problem(http.post("/uploads", content=part * 100_000 + b"--x--\r\n", headers=headers), 400)


def test_a_body_over_the_limit_is_refused_when_it_is_announced(small: httpx.Client) -> None:
    detail = problem(small.post("/uploads", content=b"x" * (LIMIT + 1)), 413)
    assert "100,000 bytes" in detail
    assert "ADLEDGER_MAX_UPLOAD_BYTES" in detail


def test_a_body_over_the_limit_is_refused_when_it_comes_in_chunks(small: httpx.Client) -> None:
    assert "100,000 bytes" in problem(small.post("/uploads", content=(b"x" * 1000 for _ in range(101))), 413)


def test_a_body_far_over_the_limit_is_refused_with_an_answer_and_not_a_reset(small: httpx.Client) -> None:
    assert "100,000 bytes" in problem(small.post("/uploads", content=b"x" * 100 * LIMIT), 413)


def test_a_file_of_just_the_limit_is_taken(small: httpx.Client) -> None:
    head = csv_of(CAMPAIGNS, "160,Full,")
    assert send(small, head + b"\n" * (LIMIT - len(head)))["rows_accepted"] == 1


@packers
@ways
def test_a_bomb_is_refused(encoding: str, way: str, small: httpx.Client) -> None:
    bomb = PACKERS[encoding](bytes(50_000_000))
    assert len(bomb) < LIMIT
    assert "100,000 bytes" in problem(small.post("/uploads", content=bomb, headers=declared(way, encoding)), 413)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
def test_files_that_are_over_the_limit_only_together_are_refused(
    pack: Callable[[bytes], bytes], small: httpx.Client
) -> None:
    content = csv_of(CAMPAIGNS, "165,Half,") + b"\n" * (LIMIT // 2)
    files = multipart(*(("file", f"{number}.csv", pack(content)) for number in range(2)))
    assert "100,000 bytes" in problem(small.post("/uploads", files=files), 413)
    assert small.post("/uploads", files=files[:1]).status_code == 202


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"", 422, "The file is empty."),
        (b"\n\n", 422, "The file is empty."),
        (f"{CAMPAIGNS}\n".encode(), 422, "The file has a header row, but no rows."),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 415, "The file is binary."),
        (csv_of("Day,Amount", "2024-01-01,5"), 422, "has the columns: Day, Amount. ad_group_stats needs date, "),
    ],
    ids=["empty", "blank", "header only", "binary", "unknown columns"],
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_reason(
    content: bytes, status: int, reason: str, http: httpx.Client
) -> None:
    answer = http.post("/uploads", content=content, params={"filename": "bad.csv"})
    assert problem(answer, status).startswith("bad.csv: ")
    (refused,) = answer.json()["files"]
    assert refused["filename"] == "bad.csv"
    assert reason in refused["reason"]


def test_an_unknown_header_is_answered_with_the_columns_that_every_kind_needs(http: httpx.Client) -> None:
    detail = problem(http.post("/uploads", content=csv_of("Day,Amount", "1,2")), 422)
    for column in {*STATS.split(","), *AD_GROUPS.split(","), *CAMPAIGNS.split(",")} - {"device", "campaign_type"}:
        assert column in detail


def test_a_kind_that_the_header_contradicts_is_refused_with_what_it_needs(http: httpx.Client) -> None:
    detail = problem(http.post("/uploads?kind=ad_groups", content=csv_of(CAMPAIGNS, "170,Wrong,")), 422)
    assert "campaign_id, campaign_name, campaign_type. ad_groups needs ad_group_id, ad_group_name" in detail


def test_one_bad_file_keeps_all_files_of_the_request_out_and_each_bad_one_is_named(http: httpx.Client) -> None:
    before = exactly(http.get("/uploads"))
    files = multipart(
        ("file", "good.csv", csv_of(CAMPAIGNS, "180,Good,")),
        ("file", "bad.csv", csv_of("Day", "1")),
        ("file", "logo.png", b"\0\0"),
    )
    answer = http.post("/uploads", files=files)
    problem(answer, 422)
    assert [refused["filename"] for refused in answer.json()["files"]] == ["bad.csv", "logo.png"]
    assert 180 not in names(http)
    assert exactly(http.get("/uploads")) == before


@pytest.mark.parametrize(
    ("name", "choices"), [("kind", "campaigns, ad_groups, ad_group_stats"), ("mode", "upsert, add")]
)
def test_an_option_that_does_not_exist_is_refused_with_those_that_do(
    name: str, choices: str, http: httpx.Client
) -> None:
    detail = problem(http.post("/uploads", content=csv_of(CAMPAIGNS, "190,No,"), params={name: "sideways"}), 400)
    assert detail == f"{name}: Invalid enum value 'sideways'. Use one of: {choices}."


@pytest.mark.parametrize("content", [csv_of(CAMPAIGNS, "191,No,"), csv_of(AD_GROUPS, "191,No,191")])
def test_adding_is_refused_for_what_cannot_be_added_up(content: bytes, http: httpx.Client) -> None:
    assert "mode=add is for ad_group_stats only" in problem(http.post("/uploads?mode=add", content=content), 422)
    assert 191 not in names(http)
