import io
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.api.reading import records as module
from services.ingest.api.reading.records import LINE_LIMIT, RecordError, bounded_lines, fields, records, unquoted


def cut(content: str, delimiter: str = ",") -> list[tuple[int, str]]:
    text = io.TextIOWrapper(io.BytesIO(content.encode()), encoding="utf-8", newline=None)
    return list(records(bounded_lines(text), delimiter))


def cells(content: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """The fields of each record; one that has none stands whole, under a negative number."""
    found = [(number, record, fields(record, delimiter)) for number, record in cut(content, delimiter)]
    return [(number, cells) if cells else (-number, [record.removesuffix("\n")]) for number, record, cells in found]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_record_has_the_number_of_its_line_whatever_ends_the_lines(end: str) -> None:
    assert cut(end.join(["a,b", "1,2", "3,4", ""])) == [(1, "a,b\n"), (2, "1,2\n"), (3, "3,4\n")]


def test_the_ends_of_lines_may_be_mixed() -> None:
    assert cut("a\r\nb\nc\rd\r\re\n\r\nf") == [(1, "a\n"), (2, "b\n"), (3, "c\n"), (4, "d\n"), (6, "e\n"), (8, "f")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_empty_lines_are_passed_over_and_still_counted(end: str) -> None:
    assert cut(end * 2 + "a" + end * 3 + "b" + end * 2) == [(3, "a\n"), (6, "b\n")]


def test_a_line_of_spaces_or_delimiters_is_a_record() -> None:
    assert cut("a\n   \n,,\n") == [(1, "a\n"), (2, "   \n"), (3, ",,\n")]


def test_no_lines_are_no_records() -> None:
    assert cut("") == []
    assert cut("\n\r\n\r") == []


def test_only_the_line_ends_of_csv_end_a_line() -> None:
    assert cut("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\nh\n") == [(1, "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n"), (2, "h\n")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_quoted_field_may_hold_line_ends_and_the_record_has_the_number_of_its_first_line(end: str) -> None:
    content = end.join(["a,b", '1,"x', "", 'y"', "2,z", '"', '","', '"', "3,w"])

    assert cells(content) == [
        (1, ["a", "b"]),
        (2, ["1", "x\n\ny"]),
        (5, ["2", "z"]),
        (6, ["\n", "\n"]),
        (9, ["3", "w"]),
    ]


def test_doubled_quotes_stand_for_one_and_close_nothing() -> None:
    content = '"a""b",1\n"""a""",2\n"a""\n""b",3\n"""",4\n"","""\n"\n""""""\n'

    assert cells(content) == [
        (1, ['a"b', "1"]),
        (2, ['"a"', "2"]),
        (3, ['a"\n"b', "3"]),
        (5, ['"', "4"]),
        (6, ["", '"\n']),
        (8, ['""']),
    ]


def test_a_quoted_field_may_hold_delimiters() -> None:
    assert cells('"a,b;c",d\n"\n,\n",e\n') == [(1, ["a,b;c", "d"]), (2, ["\n,\n", "e"])]


@pytest.mark.parametrize("field", ['5" tablet', 'a"b"c', 'a"', 'a""', 'a"b""', "it's", 'x"y z"', '  5" tablet"'])
def test_quotes_inside_an_unquoted_field_are_text(field: str) -> None:
    assert cells(f'{field},1\n2,{field}\n"3",{field},"x"\n4,4\n') == [
        (1, [field, "1"]),
        (2, ["2", field]),
        (3, ["3", field, "x"]),
        (4, ["4", "4"]),
    ]


def test_spaces_around_a_quoted_field_are_dropped() -> None:
    assert cells(' "a,b" ,1\n2,   "c\n""d"  \n3,4\n') == [(1, ["a,b", "1"]), (2, ["2", 'c\n"d']), (4, ["3", "4"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_quotes_mean_the_same_with_every_delimiter(delimiter: str) -> None:
    content = 'a|5" x|" 1\n|2"|"3"\n|""|"""|"\n'.replace("|", delimiter)

    assert cells(content, delimiter) == [
        (1, ["a", '5" x', f" 1\n{delimiter}2", "3"]),
        (3, ["", "", f'"{delimiter}']),
    ]


@pytest.mark.parametrize(
    "record",
    ['"a"b,1', '1,"a" b', '1,"a"" b"c,2', '"a" "b,1', '"a"b"c,1', '""a', '1,"a"b,"c\nd"', ' "a"b', '"a"\t,1'],
)
def test_a_record_where_text_follows_a_closing_quote_is_kept_whole_under_a_negative_number(record: str) -> None:
    lines = record.count("\n") + 1

    assert cells(f'1,2\n{record}\n3,"4"\n') == [(1, ["1", "2"]), (-2, [record]), (2 + lines, ["3", "4"])]
    assert cells(f"1,2\n{record}")[1:] == [(-2, [record])]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('a,b\n1,"2\n3,4\n', 2),
        ('a,b\n\n\n1,2\n"3,4\n\n', 5),
        ('"', 1),
        ('a,b\n"1\n2","3\n4\n', 2),
        ('a,b\r\n1,"2""\r\n3,4', 2),
        ('"a"b,"c\n', 1),
    ],
)
def test_a_quote_that_is_never_closed_is_refused_with_the_line_that_opens_it(content: str, line: int) -> None:
    with pytest.raises(RecordError) as refused:
        cut(content)

    assert str(refused.value) == f"Line {line}: a double quote opens a field that is never closed."


def test_a_line_that_is_too_long_is_refused_with_its_number() -> None:
    with pytest.raises(RecordError) as refused:
        cut("a\nb\n" + "x" * (LINE_LIMIT + 1))

    assert str(refused.value) == f"Line 3 is longer than {LINE_LIMIT} characters."


def test_a_line_as_long_as_may_be_is_kept() -> None:
    line = "x" * (LINE_LIMIT - 1) + "\n"

    assert cut("a\n" + line + "b") == [(1, "a\n"), (2, line), (3, "b")]


def test_a_quoted_field_that_goes_on_for_too_long_is_refused_with_the_line_that_opens_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LINE_LIMIT", 50)

    assert [number for number, _ in cut('a\n"' + "x\n" * 20 + '"\n')] == [1, 2]
    with pytest.raises(RecordError, match=r"^Line 2: a double quote opens a field of more than 50 characters\.$"):
        cut('a\n"' + "x\n" * 40 + '"\n')


@pytest.mark.parametrize("line", ["x,y\n", '"x","y"\n', '1,"x" y\n', '5" x,y\n'])
def test_a_quote_that_is_never_closed_is_found_in_time_that_grows_with_the_file_only(line: str) -> None:
    started = time.perf_counter()
    with pytest.raises(RecordError, match=r"^Line 1: "):
        cut('"' + line.replace('"', '""') * 60_000)

    assert time.perf_counter() - started < 5


@settings(max_examples=2000, deadline=None)
@given(record=st.text('a1,;" ', max_size=12), delimiter=st.sampled_from(",;"))
def test_quotes_right_around_whole_fields_are_cut_as_any_others_are(record: str, delimiter: str) -> None:
    simply = unquoted(record, delimiter, "\x1f")

    assert simply is None or simply.split("\x1f") == fields(record, delimiter)
    assert simply is None or not module._ends_inside_quotes(f"{record}\n", delimiter, inside=False)


@pytest.mark.parametrize("record", ['"a"', '"a","b"', 'a,"b;c",d', '"","b",', '"a,b","c",1'])
def test_such_records_are_cut_the_short_way(record: str) -> None:
    assert unquoted(record, ",", "|") == "|".join(fields(record, ",") or [])
