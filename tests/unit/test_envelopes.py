"""What is around the rows: encodings, delimiters, line ends, lines above the header, quotes, and sizes."""

import codecs
import itertools

import pytest

from services.ingest.api.reading.parsing import NotTextError, UnreadableFileError
from tests.support.reading import Outcome, Reader, encoding

HEADER = "Kampagne;date;ad_group_id;impressions;clicks;conversions;cost"
ROW = "Größe 東;2025-05-13;7;500;25;2;454.06"
SUMS = {(7, "2025-05-13", 0): (500, 25, 2_000_000, 454_060_000)}
TEXT = f"{HEADER}\n{ROW}\n"
MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
ENDS = {"Unix": "\n", "Windows": "\r\n", "old Macs": "\r"}


@pytest.mark.parametrize("name", MARKS)
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_encoding_is_known_by_its_mark(name: str, end: str, files: Reader) -> None:
    outcome = files.read(MARKS[name] + TEXT.replace("\n", end).encode(name))

    assert outcome.sums == SUMS
    assert encoding(outcome.report.encoding) == name
    assert outcome.report.header == HEADER


def test_without_a_mark_it_is_utf_8(files: Reader) -> None:
    outcome = files.read(TEXT.encode())

    assert outcome.sums == SUMS
    assert encoding(outcome.report.encoding) == "utf-8"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("windows-1252", "Größe, 5 €"),
        ("iso-8859-15", "Größe"),
        ("shift_jis", "浜田"),
        ("utf-16-le", "Größe 東"),
        ("cp1251", "Размер"),
    ],
)
def test_another_encoding_is_asked_about_and_read_when_it_is_told(name: str, text: str, files: Reader) -> None:
    content = f'campaign_id,campaign_name\n1,"{text}"\n'.encode(name)
    with pytest.raises(UnreadableFileError, match=r"\?encoding="):
        files.read(content)
    outcome = files.read(content, encoding=name)

    assert outcome.rows == [["1", text, None]]
    assert encoding(outcome.report.encoding) == codecs.lookup(name).name


@pytest.mark.parametrize("at", [10, 8_000, 100_000, 3_000_000])
def test_a_byte_that_is_no_utf_8_is_noticed_wherever_it_is(at: int, files: Reader) -> None:
    content = f"{HEADER}\n".encode() + f"{ROW}\n".encode() * 70_000
    with pytest.raises(UnreadableFileError, match=r"\?encoding="):
        files.read(content[:at] + b"\xff" + content[at:])


def test_an_encoding_that_does_not_fit_is_refused(files: Reader) -> None:
    with pytest.raises(UnreadableFileError, match="utf-8"):
        files.read(TEXT.encode("windows-1252", "replace"), encoding="utf-8")


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\x14\0\x08\0", bytes(100), b"%PDF-1.7\n\0"]
)
def test_what_is_no_text_is_refused_as_such(content: bytes, files: Reader) -> None:
    with pytest.raises(NotTextError):
        files.read(content)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_delimiter_is_found_and_may_stand_in_quotes(delimiter: str, end: str, files: Reader) -> None:
    others = [sign for sign in ",\t;|" if sign != delimiter] * 3
    cells = [f'"Rain {"".join(others)} {delimiter}{end}""{end}"', *ROW.split(";")[1:]]
    text = HEADER.replace(";", delimiter) + end + delimiter.join(cells) + end
    outcome = files.read(text.encode())

    assert outcome.sums == SUMS
    assert outcome.report.delimiter == delimiter


@pytest.mark.parametrize(
    "lines",
    [
        ["Title"],
        ["Title", "May 1, 2025 - May 31, 2025"],
        ['"Title, quoted"', '"May 1, 2025 - May 31, 2025"', "", ""],
        [f"Line {number}" for number in range(40)],
        ["a;b;c;d;e;f;g;h;i;j;k"],
        ['He said "stop', '2" x 4"'],
        ["date", "clicks"],
        ['"two', 'lines"'],
        ["Date;Campaign;Spent in all", "May;Rain;5"],
        ["Größe 東"],
    ],
)
def test_lines_above_the_header_are_kept_as_notes(lines: list[str], files: Reader) -> None:
    outcome = files.read(("\n".join(lines) + "\n" + TEXT).encode())

    assert outcome.sums == SUMS
    assert outcome.report.header_line == len(lines) + 1
    assert [each for each in outcome.report.preamble if each] == [each for each in lines if each]


@pytest.mark.parametrize("tail", ["\n", "\n\n\n", "\r\n\r\n", "   \n", "\n  \n\n", ";;;;;;\n", "\n;;;;;;\n;;;;;;\n"])
def test_empty_lines_after_the_rows_say_nothing(tail: str, files: Reader) -> None:
    outcome = files.read((TEXT + tail).encode())

    assert outcome.sums == SUMS
    assert outcome.refused == []


@pytest.mark.parametrize(
    "footer",
    [
        '"©2025 Microsoft Corporation. All rights reserved. "',
        "Total of 285 results",
        "Total: Account;;;500;25;2;454.06",
        "Total; --; --;500;25;2;454.06",
        "Total;-;-;500;25;2;454.06",
        ";;;500;25;2;454.06",
        "Search total;-;-;500;25;2;454.06",
        "Gesamt: Konto; --; --;500;25;2;454.06",
    ],
)
@pytest.mark.parametrize("gap", ["", "\n"])
def test_footers_and_totals_are_kept_and_not_loaded(footer: str, gap: str, files: Reader) -> None:
    outcome = files.read(f"{TEXT}{gap}{footer}\n".encode())

    assert outcome.sums == SUMS
    assert outcome.refused == []
    assert outcome.report.rows_total == 1
    (kept,) = outcome.report.total_rows
    assert kept.line == 3 + len(gap)
    assert kept.text.strip() == footer.strip()
    assert all(each.agrees for each in outcome.report.reconciliation)


def test_a_quote_that_is_never_closed_is_refused_with_its_line(files: Reader) -> None:
    with pytest.raises(UnreadableFileError, match=r"^Line 3: .*never closed"):
        files.read(f'{TEXT}"Rain;2025-05-13;7;500;25;2;454.06\n{ROW}\n'.encode())


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("Rain;2025-05-13;7;500;25;2", "6"),
        ("Rain;2025-05-13;7;500;25;2;454.06;9", "more"),
        ('"Rain" x;2025-05-13;7;500;25;2;454.06', "quote"),
        ('"two\nlines" x;2025-05-13;7;500;25;2;454.06', "quote"),
    ],
)
def test_a_record_that_is_no_row_is_refused_whole_and_hinders_no_other(record: str, reason: str, files: Reader) -> None:
    outcome = files.read(f"{HEADER}\n{record}\n{ROW}\n".encode())

    (refused,) = outcome.refused
    assert (refused.line, refused.column, refused.text) == (2, None, record)
    assert reason in refused.reason
    assert outcome.sums == SUMS


@pytest.mark.parametrize("cell", ["\0", "a\0b", "\x01\x02\x1f\x7f", "\ufeff", "\u2028", "\x85", "\\N", "\\.", "'"])
def test_odd_signs_in_a_column_that_is_not_ours_do_no_harm(cell: str, files: Reader) -> None:
    outcome = files.ask(f"{HEADER}\n{ROW}\n".replace("Größe", cell).encode())

    if "\0" in cell and isinstance(outcome, str):
        assert "binary" in outcome
    else:
        assert isinstance(outcome, Outcome)
        assert outcome.sums == SUMS


def test_the_text_of_a_refused_row_is_what_stands_in_the_file(files: Reader) -> None:
    bad = [
        "Größe;2025-05-32;7;500;25;2;454.06",
        '"two\nlines";x;7;500;25;2;454.06',
        " spaced ;2025-05-13; x ;500;25;2;454.06 ",
        '"a ""b""";2025-05-13;7;x;25;2;"454.06"',
        "tab\there;2025-05-13;7;500;x;2;454.06",
        "back\\slash;2025-05-13;7;500;25;x;454.06",
    ]
    for end, name in itertools.product(ENDS.values(), ("utf-8", "utf-16")):
        outcome = files.read("\n".join([HEADER, ROW, *bad, ROW]).replace("\n", end).encode(name))
        texts = [each.text.replace("\r\n", "\n").replace("\r", "\n") for each in outcome.refused]
        assert texts == bad
        assert [each.line for each in outcome.refused] == [3, 4, 6, 7, 8, 9]
        assert len(outcome.sums) == 1
