"""Answers from memory: never older than what the reader was told, and never two bodies under one tag."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.query.dataset import Version
from services.query.facts import Database, Listed, versioned
from tests.support.databases import execute
from tests.support.files import AD_GROUPS, CAMPAIGNS, STATS, csv_of, exactly, send
from tests.support.running import Running, running

SERIES = "/performance-time-series?aggregate_by=day"
PATHS = (
    "/campaigns",
    SERIES,
    "/performance-time-series?aggregate_by=month",
    "/compare-performance?start_date=2025-01-01&end_date=2025-01-31&compare_mode=preceding",
)
ROUNDS = 20
READERS = 4


@pytest.fixture(scope="module")
def other(module_database_url: str, module_folder: Path) -> Iterator[Running]:
    """A query process on the database of the module's adledger."""
    settings = {"ADLEDGER_DATABASE_URL": module_database_url}
    with running(module_folder, "serve", "query", settings=settings) as started:
        yield started


@pytest.fixture(scope="module", autouse=True)
def dataset(http: httpx.Client) -> None:
    send(http, csv_of(AD_GROUPS, *(f"{n},Group {n},{n % 10}" for n in range(100))))
    send(http, csv_of(CAMPAIGNS, *(f"{n},Campaign {n},SEARCH" for n in range(10))))
    send(http, csv_of(STATS, *(f"2025-01-{day:02},{n},MOBILE,9,3,1,{n}" for n in range(100) for day in (1, 2, 31))))


def cost(number: int) -> str:
    """A file that sets one key to a number."""
    return csv_of(STATS, f"2025-01-03,1,MOBILE,1,1,1,{number}")


def read_cost(client: httpx.Client) -> int:
    points = exactly(client.get(f"{SERIES}&campaign_ids=1&start_date=2025-01-03&end_date=2025-01-03"))
    return int(points[0]["total_cost"])


@pytest.mark.parametrize("path", [*PATHS, "/uploads"])
def test_an_answer_that_the_client_still_has_is_not_sent_again(path: str, http: httpx.Client) -> None:
    first = http.get(path)
    assert first.headers["cache-control"] == "private, no-cache"
    again = http.get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-length" not in again.headers or again.headers["content-length"] == "0"
    assert http.get(path, headers={"If-None-Match": '"other"'}).content == first.content
    assert http.get(path, headers={"If-None-Match": "*"}).status_code == 304


@pytest.mark.parametrize("path", PATHS)
def test_a_tag_goes_when_the_data_change(path: str, http: httpx.Client) -> None:
    before = http.get(path).headers["etag"]
    send(http, cost(len(path)))
    after = http.get(path, headers={"If-None-Match": before})
    assert (after.status_code, after.headers["etag"] != before) == (200, True)


@pytest.mark.parametrize("path", PATHS)
def test_two_processes_answer_with_the_same_bytes_under_the_same_tag(
    path: str, http: httpx.Client, other: Running
) -> None:
    with other.http() as elsewhere:
        ours, theirs = http.get(path), elsewhere.get(path)
    assert (ours.headers["etag"], ours.content) == (theirs.headers["etag"], theirs.content)


def test_what_was_applied_is_read_at_once_through_every_process(http: httpx.Client, other: Running) -> None:
    with other.http() as elsewhere:
        for number in range(1, ROUNDS):
            assert send(http, cost(number))["state"] == "applied"
            assert (read_cost(elsewhere), read_cost(http)) == (number, number)


def test_no_tag_names_two_bodies_while_uploads_are_applied(
    http: httpx.Client, adledger: Running, other: Running
) -> None:
    bodies: dict[tuple[str, str], set[bytes]] = defaultdict(set)
    over = threading.Event()
    failures: list[Exception] = []

    def keep_reading(url: str) -> None:
        try:
            with httpx.Client(base_url=url, timeout=30) as client:
                while not over.is_set():
                    for path in PATHS:
                        answer = client.get(path)
                        bodies[path, answer.headers["etag"]].add(answer.content)
        except (httpx.HTTPError, KeyError) as error:
            failures.append(error)

    urls = [adledger.url, other.url] * READERS
    readers = [threading.Thread(target=keep_reading, args=(url,)) for url in urls]
    for reader in readers:
        reader.start()
    for number in range(ROUNDS):
        send(http, cost(1000 + number))
    over.set()
    for reader in readers:
        reader.join()
    assert failures == []
    assert {key: len(found) for key, found in bodies.items() if len(found) > 1} == {}
    tags: dict[str, set[str]] = defaultdict(set)
    for path, tag in bodies:
        tags[path].add(tag)
    assert min(len(tags[path]) for path in PATHS) > 3


def test_values_go_forward_only_for_one_reader_of_several_processes(
    http: httpx.Client, adledger: Running, other: Running
) -> None:
    send(http, cost(0))
    seen: list[int] = []
    over = threading.Event()

    def keep_reading() -> None:
        with adledger.http() as one, other.http() as another:
            while not over.is_set():
                seen.extend((read_cost(one), read_cost(another)))

    reader = threading.Thread(target=keep_reading)
    reader.start()
    for number in range(1, ROUNDS):
        send(http, cost(number))
    over.set()
    reader.join()
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def test_an_answer_that_is_asked_for_again_comes_packed_for_those_who_take_it(adledger: Running) -> None:
    with httpx.Client(base_url=adledger.url, headers={"Accept-Encoding": "identity"}, timeout=30) as plain:
        whole = plain.get(SERIES)
        for _ in range(100):
            packed = plain.get(SERIES, headers={"Accept-Encoding": "gzip"})
            if packed.headers.get("content-encoding") == "gzip":
                break
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == whole.headers["vary"] == "accept-encoding"
        assert packed.headers["etag"] != whole.headers["etag"]
        assert packed.content == whole.content
        assert int(packed.headers["content-length"]) < len(whole.content) / 3
        again = plain.get(SERIES)
        assert ("content-encoding" in again.headers, again.content) == (False, whole.content)
        known = plain.get(SERIES, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
        assert known.status_code == 304


def test_head_tells_the_tag_and_the_length(http: httpx.Client) -> None:
    headers = {"Accept-Encoding": "identity"}
    get, head = http.get(SERIES, headers=headers), http.head(SERIES, headers=headers)
    assert head.content == b""
    for name in ("etag", "content-length", "content-type", "cache-control"):
        assert head.headers[name] == get.headers[name]


def test_the_order_of_parameters_makes_no_other_answer(http: httpx.Client) -> None:
    one = http.get("/performance-time-series?aggregate_by=day&start_date=2025-01-01")
    another = http.get("/performance-time-series?start_date=2025-01-01&aggregate_by=day")
    assert (one.headers["etag"], one.content) == (another.headers["etag"], another.content)


def test_refusals_are_not_kept(http: httpx.Client) -> None:
    for _ in range(2):
        refused = http.get("/performance-time-series?aggregate_by=year")
        assert (refused.status_code, "etag" in refused.headers) == (400, False)


def test_an_upload_is_tagged_by_its_state(http: httpx.Client) -> None:
    upload = send(http, cost(77))
    path = f"/uploads/{upload['id']}"
    before = http.get(path)
    assert http.get(path, headers={"If-None-Match": before.headers["etag"]}).status_code == 304
    http.delete(path).raise_for_status()
    after = http.get(path, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, exactly(after)["state"]) == (200, "reverted")


@pytest.mark.parametrize("numbers", [(101, 102), (103, 103)], ids=["other numbers", "the same numbers"])
def test_what_is_read_again_is_what_a_process_says_that_starts_now(
    numbers: tuple[int, int], http: httpx.Client, module_database_url: str, tmp_path: Path
) -> None:
    for number in numbers:
        send(http, cost(number))
        again = [told(http, path) for path in PATHS]
    settings = {"ADLEDGER_DATABASE_URL": module_database_url}
    with running(tmp_path, "serve", "query", settings=settings) as started, started.http() as client:
        assert again == [told(client, path) for path in PATHS]


def told(client: httpx.Client, path: str) -> tuple[int, dict[str, str], bytes]:
    """Return all that an answer says, but for when."""
    answer = client.get(path, headers={"Accept-Encoding": "identity"})
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


def test_a_restored_database_has_other_tags(module_database_url: str, http: httpx.Client) -> None:
    before = http.get("/campaigns").headers["etag"]
    asyncio.run(execute(module_database_url, "UPDATE dataset SET epoch = gen_random_uuid()"))
    assert http.get("/campaigns").headers["etag"] != before


@pytest.mark.anyio
async def test_sums_beyond_64_bits_are_read_exactly(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO total_day VALUES ('2025-01-01', 1, 2, 3, 99999999999999999999999999)")
    await connection.close()
    database = Database(database_url)
    statement = versioned(Listed("SELECT cost, clicks FROM total_day", ("cost", "clicks")))
    _, _, version, columns = await database.read(statement)
    assert columns == [[99999999999999999999999999], [2]]
    assert all(isinstance(value, int) for column in columns for value in column)
    assert version == await database.version()
    assert isinstance(version, Version)
    assert isinstance(version.epoch, UUID)
    database.close()
