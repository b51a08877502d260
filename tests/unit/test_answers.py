import gzip
from array import array
from sys import getsizeof
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query import answers, numbers, performance
from services.query.answers import Kept, accepts_gzip, kept, packed, question_of, renewed, sources, tagged
from services.query.cache import OVERHEAD, Cache
from services.query.columns import VALUE_BYTES, Columns, Read, whole
from services.query.dataset import Version
from shared import responses, tables

EPOCH, OTHER = UUID(int=1), UUID(int=2)
MAKE = whole(len)
JSON = [(b"content-type", b"application/json"), (b"content-length", b"999")]


def answer(question: bytes, number: int = 1, size: int = 100, epoch: UUID = EPOCH) -> Kept:
    return kept(question, read(number, epoch), MAKE, JSON, b"x" * size)


def read(number: int, epoch: UUID = EPOCH, columns: Columns | None = None) -> Read:
    return Read("SELECT", (), Version(epoch, number), columns or [])


def test_a_tag_is_of_the_question_the_version_the_epoch_and_the_encoding() -> None:
    first = answer(b"a")
    others = [answer(b"b").plain, answer(b"a", 2).plain, answer(b"a", 1, epoch=OTHER).plain, packed(first)]
    tags = {first.plain.tag, *(each.tag for each in others)}
    assert len(tags) == 5
    assert all(tag.startswith(b'"') and tag.endswith(b'"') for tag in tags)


def test_a_tag_is_the_same_in_every_process() -> None:
    assert answer(b"a").plain.tag == answer(b"a").plain.tag
    assert packed(answer(b"a")) == packed(answer(b"a"))


def test_the_parts_of_a_tag_do_not_run_into_each_other() -> None:
    assert answer(b"1a", 1).plain.tag != answer(b"a", 11).plain.tag


def test_an_answer_says_its_own_length_and_that_it_is_to_be_asked_about() -> None:
    headers = answer(b"a").plain.headers
    assert headers.count((b"content-length", b"100")) == 1
    assert [value for name, value in headers if name == b"content-length"] == [b"100"]
    assert (b"cache-control", b"private, no-cache") in headers
    assert (b"vary", b"accept-encoding") in headers
    assert (b"content-type", b"application/json") in headers


def test_a_packed_answer_is_the_same_answer() -> None:
    first = answer(b"a", size=5000)
    sent = packed(first)
    assert gzip.decompress(sent.body) == first.plain.body
    assert (b"content-encoding", b"gzip") in sent.headers
    assert (b"content-length", str(len(sent.body)).encode()) in sent.headers


def test_an_answer_without_a_version_is_tagged_by_its_bytes() -> None:
    assert tagged(JSON, b"1").tag == tagged(JSON, b"1").tag != tagged(JSON, b"2").tag


def test_parameters_are_the_same_question_in_any_order_unless_they_have_the_same_name() -> None:
    assert question_of("/a", b"x=1&y=2") == question_of("/a", b"y=2&x=1")
    assert question_of("/a", b"x=1&x=2") != question_of("/a", b"x=2&x=1")
    assert question_of("/a", b"x=1") != question_of("/b", b"x=1")


def test_a_change_of_any_code_that_makes_answers_changes_all_tags() -> None:
    makers = {module.__file__ for module in (answers, numbers, performance, responses, tables)}
    assert makers <= set(map(str, sources()))


def test_a_name_is_the_same_name_however_it_is_written() -> None:
    assert question_of("/a", b"x_y=1&x%5Fy=2") != question_of("/a", b"x%5Fy=2&x_y=1")
    assert question_of("/a", b"x+y=1&x%20y=2") != question_of("/a", b"x%20y=2&x+y=1")


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (b"gzip", True),
        (b"br, GZIP;q=0.5, deflate", True),
        (b"gzip;q=1.0", True),
        (b"gzip;q=0", False),
        (b"gzip; q=0.000", False),
        (b"identity", False),
        (b"x-gzip-not", False),
        (b"", False),
    ],
)
def test_gzip_is_sent_to_those_who_accept_it(header: bytes, *, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_a_version_covers_itself_and_older_ones_of_its_epoch_only() -> None:
    version = answer(b"a", 5).read.version
    assert [version.covers(Version(EPOCH, number)) for number in (4, 5, 6)] == [True, True, False]
    assert not version.covers(Version(OTHER, 5))


def test_the_latest_answer_to_a_question_is_found() -> None:
    cache = Cache(10**6)
    for number in (4, 5):
        cache.keep(answer(b"a", number))
    assert cache.find(b"a") == answer(b"a", 5)
    assert cache.find(b"b") is None


def test_what_an_answer_is_made_of_takes_room_too() -> None:
    listed, packed_numbers = [*range(100)], array("q", range(100))
    large = kept(b"a", read(1, columns=[listed, packed_numbers]), MAKE, JSON, b"y" * 500)
    assert large.size == len("SELECT") + 100 * VALUE_BYTES + getsizeof(listed) + getsizeof(packed_numbers) + 2 * 500


def test_a_renewed_answer_is_the_one_that_would_be_made_anew() -> None:
    old, new = answer(b"a", 1, size=5000), answer(b"a", 2, size=5000)
    assert renewed(old, read(2)) == new
    old.packed, new.packed = packed(old), packed(new)
    assert renewed(old, read(2)) == new


def test_the_answer_not_asked_for_the_longest_goes_first() -> None:
    cache = Cache(3 * (answer(b"a").size + OVERHEAD))
    for question in (b"a", b"b", b"c"):
        cache.keep(answer(question))
    assert cache.find(b"a")
    cache.keep(answer(b"d"))
    assert cache.find(b"b") is None
    assert all(cache.find(question) for question in (b"a", b"c", b"d"))


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 4000), st.booleans())))
def test_the_cache_never_holds_more_than_its_limit(steps: list[tuple[bytes, int, bool]]) -> None:
    cache = Cache(8000)
    held: dict[bytes, Kept] = {}
    for question, size, is_packed in steps:
        each = answer(question, size=size)
        cache.keep(each)
        if is_packed:
            cache.keep_packed(each, packed(each))
        held[question] = each
        found = [each for each in held.values() if cache.find(each.question) is each]
        assert cache.size == sum(each.size + OVERHEAD for each in found) <= 8000
        assert len(cache) == len(found)


def test_what_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    cache = Cache(5000)
    cache.keep(answer(b"a"))
    cache.keep(answer(b"b", size=3000))
    assert cache.find(b"a")
    assert cache.find(b"b") is None


def test_a_packed_body_is_not_kept_with_an_answer_that_was_replaced_meanwhile() -> None:
    cache = Cache(10**6)
    old, new = answer(b"a", 1), answer(b"a", 2)
    cache.keep(old)
    cache.keep(new)
    cache.keep_packed(old, packed(old))
    assert cache.find(b"a") is new
    assert new.packed is None
