"""Public suites of odd CSV files. They are no exports of ads, so a header row of ours is put before each of them.

Three steps, so that nothing is taken on trust: a slow and strict reader is held against what the suites
expect, our reader against the strict one, and each file as it is must be refused with a reason.
"""

import re

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support.reading import Outcome, Reader
from tests.support.strict_reader import Record
from tests.support.torture import ABSENT, Case, cases

CASES = cases()
NONE = [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))]
NAME_LIMIT = 1000
VALUE_LIMIT = 500
LONG = 100_000
"""A record over this may be refused for its length, with its file."""

OTHER_DIALECT = {
    "csv/all-empty.csv": "empty lines are passed over",
    "csv/empty-one-column.csv": "empty lines are passed over",
    "csv/header-no-rows.csv": "it expects no rows, and we count the header row as the first",
    "polluted_files/csv/file_escape_char_0x00.csv": "quotes are escaped by NUL, not by doubling",
    "polluted_files/csv/file_escape_char_0x5C.csv": "quotes are escaped by a backslash, not by doubling",
    "polluted_files/csv/file_field_delimiter_0x20.csv": "fields are separated by spaces",
    "polluted_files/csv/file_header_multirow_2.csv": "a second header row is a row",
    "polluted_files/csv/file_header_multirow_3.csv": "further header rows are rows",
    "polluted_files/csv/file_multitable_less.csv": "a second table in the file is more rows",
    "polluted_files/csv/file_multitable_more.csv": "a second table in the file is more rows",
    "polluted_files/csv/file_multitable_same.csv": "a second table in the file is more rows",
    "polluted_files/csv/file_preamble.csv": "what stands above a header row that is not ours is rows",
    "polluted_files/csv/file_quotation_char_0x27.csv": "fields are quoted with apostrophes, which are text to us",
    "polluted_files/csv/row_extra_quote0_col0.csv": "a quote too many swallows the rest of its row: refused",
    "polluted_files/csv/row_extra_quote48_col0.csv": "a quote too many swallows the rest of its row: refused",
    "polluted_files/csv/row_extra_quote9_col8.csv": "a quote too many swallows the rest of its row: refused",
    "polluted_files/csv/row_field_delimiter_0_0x20.csv": "one row is separated by spaces: refused",
    "polluted_files/csv/row_field_delimiter_48_0x20.csv": "one row is separated by spaces: refused",
    "polluted_files/csv/row_field_delimiter_9_0x20.csv": "one row is separated by spaces: refused",
    "polluted_files/csv/row_less_sep_row0_col1.csv": "one row has a field too few: refused",
    "polluted_files/csv/row_less_sep_row48_col1.csv": "one row has a field too few: refused",
    "polluted_files/csv/row_less_sep_row9_col8.csv": "one row has a field too few: refused",
    "polluted_files/csv/row_more_sep_row0_col0.csv": "one row has a field too many: refused",
    "polluted_files/csv/row_more_sep_row48_col0.csv": "one row has a field too many: refused",
}
"""Files whose suite reads them by another rule than ours, and where that shows."""

OTHER_MEANING = {
    *("tests/test038.csv", "tests/test039.csv", "tests/test047.csv", "tests/test049.csv"),
    *("tests/test305.csv", "tests/test306.csv", "tests/test307.csv"),  # values made into addresses
    *("tests/test020.csv", "tests/test021.csv", "tests/test022.csv", "tests/test051.csv", "tests/test052.csv"),  # dates
    *("tests/test055.csv", "tests/test056.csv", "tests/test057.csv", "tests/test058.csv", "tests/test189.csv"),
    *("tests/test190.csv", "tests/test262.csv"),
    *("tests/test228.csv", "tests/test229.csv", "tests/test230.csv"),  # cells made into lists
}
"""W3C tests whose texts are made from cells by rules that stand in another file; these are left out."""

MUST_BE_REJECTED = {
    "csv/bad-unescaped-quote.csv": 'a quote inside a field that is not quoted is text: 5" tablet',
}
"""What a suite wants rejected, and we take."""

EXPECTING = [case for case in CASES if case.suite in {"csv-spectrum", "csv-test-data", "pollock"} and case.expected]


def param(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases or NONE, ids=str)


def stripped(rows: list[list[str]]) -> list[list[str]]:
    return [[cell.replace("\r\n", "\n").strip() for cell in row] for row in rows]


@param([case for case in EXPECTING if case.expected != "MUST REJECT" and case.path not in OTHER_DIALECT])
def test_the_strict_reader_finds_the_cells_that_the_suite_expects(case: Case) -> None:
    assert case.records is not None
    assert all(record.sound for record in case.records)
    width = case.width
    found = [[*record.cells[:width], *filter(None, record.cells[width:])] for record in case.records]

    assert stripped(found) == stripped(case.cells())


@param([case for case in EXPECTING if case.path in OTHER_DIALECT])
def test_where_a_suite_reads_by_another_rule_it_shows(case: Case) -> None:
    found = [record.cells for record in case.records or []]

    assert stripped(found) != stripped(case.cells())


@param([case for case in CASES if case.suite == "w3c-csvw" and case.expected and case.path not in OTHER_MEANING])
def test_the_strict_reader_finds_the_texts_that_the_w3c_expects(case: Case) -> None:
    found = {record.line: stripped([record.cells])[0] for record in case.records or []}

    for line, texts in case.texts().items():
        assert set(texts) <= set(found[line])


@param([case for case in EXPECTING if case.expected == "MUST REJECT"])
def test_what_a_suite_wants_rejected_is_rejected(case: Case, files: Reader) -> None:
    try:
        refused = wrapped(case, 3, 0, files).refused
    except UnreadableFileError:
        return
    header = [record for record in case.records or [] if record.line == 1]
    wrong = "header" in case.path and stripped([record.cells for record in header]) != [["foo", "bar", "baz"]]

    assert [each.line for each in refused] in ([2, 3], [2]) or wrong or case.path in MUST_BE_REJECTED


@param(CASES)
def test_a_file_of_a_suite_as_it_is_is_refused_with_a_reason(case: Case, files: Reader) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        files.read(case.content)

    reason = str(refused.value)
    assert reason.endswith((".", "?", "…"))
    assert "Error" not in reason
    assert not re.search(r"[\x00-\x1f]", reason)
    assert len(reason) < 3000


SENTENCES = {"papaparse:tests/sample-header.csv": {4}, "duckdb:data/csv/encodings/all_latin1.csv": {105}}
"""Lines that hold nothing but words with one number, as a count of rows does, or a copyright sign, as a notice does."""


@param(CASES)
def test_each_cell_of_a_suite_is_what_the_strict_reader_finds(case: Case, files: Reader) -> None:
    width = max(case.width, 2)
    # Suites hold the same table a hundred times, spoilt in one place each: other columns for each of the files.
    for column in {len(case.path) % width, sum(case.content) % width} if case in EXPECTING else [width - 1]:
        try:
            outcome = wrapped(case, width, column, files)
        except UnreadableFileError as refused:
            assert_may_be_refused(case, str(refused))
            return
        names, lines = expected(case, width, column)
        assert {row[0]: row[1] for row in outcome.rows} == names
        found = {each.line: each.value for each in outcome.refused}
        gone = {line for line in lines.keys() - found.keys() if not is_footer(case, lines[line])}
        gone -= SENTENCES.get(f"{case.suite}:{case.path}", set())
        assert gone == set()
        assert found.keys() <= lines.keys()
        for line, value in found.items():
            wanted = lines[line]
            if isinstance(wanted, str):
                assert (value or "").strip() == wanted


@param([case for case in CASES if case.records])
def test_a_row_of_stats_loads_only_if_what_a_suite_has_in_it_is_sound(case: Case, files: Reader) -> None:
    records = case.records or []
    width = max(case.width, 1)
    header = ["date", "ad_group_id", "impressions", "clicks", "conversions", "cost", *(f"x{i}" for i in range(width))]
    lines = [case.delimiter.join(header)]
    lines += [
        case.delimiter.join(["2025-05-13", str(number), "9", "8", "7", "6", record.text])
        for number, record in enumerate(records)
    ]
    sound = [number for number, record in enumerate(records) if fits(record, width)]
    try:
        outcome = files.read("\r\n".join(lines).encode())
    except UnreadableFileError as refused:
        assert_may_be_refused(case, str(refused))
        return

    assert [key[0] for key in outcome.sums] == sound
    assert set(outcome.sums.values()) <= {(9, 8, 7_000_000, 6_000_000)}
    assert len(outcome.refused) == len(records) - len(sound)


def wrapped(case: Case, width: int, column: int, files: Reader) -> Outcome:
    """What our reader makes of a file below a header row of ours: one column is a campaign's id, one its name."""
    header = [f"x{number}" for number in range(width)]
    header[column] = "campaign_id"
    header[beside(width, column)] = "campaign_name"
    line = case.delimiter.join(header) + ("\r\n" if "\r\n" in case.text else "\r" if "\n" not in case.text else "\n")
    given = None if case.mark or case.encoding == "utf-8" else case.encoding
    if given == "latin-1":
        with pytest.raises(UnreadableFileError, match=r"\?encoding="):
            files.read(case.mark + line.encode() + case.content)
    content = case.mark + line.encode(case.encoding) + case.content[len(case.mark) :]
    return files.read(content, kind="campaigns", encoding=given)


def beside(width: int, column: int) -> int:
    return (column + 1) % width


def expected(case: Case, width: int, column: int) -> tuple[dict[str | None, str | None], dict[int, Record | str]]:
    """The campaigns that are loaded, and of each line that is refused the cell at fault, or the whole record."""
    names: dict[str | None, str | None] = {}
    refused: dict[int, Record | str] = {}
    for record in case.records or []:
        line = record.line + 1
        if not fits(record, width):
            refused[line] = record
            continue
        number, name = (record.cells[at].strip(" ") for at in (column, beside(width, column)))
        if not (number.isascii() and number.isdigit() and int(number) < 2**63):
            refused[line] = number[:VALUE_LIMIT].strip()
        elif len(name) > NAME_LIMIT:
            refused[line] = name[:VALUE_LIMIT].strip()
        else:
            names[str(int(number))] = name or names.get(str(int(number)))
    return names, refused


def fits(record: Record, width: int) -> bool:
    return record.sound and len(record.cells) >= width and not any(record.cells[width:])


def is_footer(case: Case, wanted: Record | str) -> bool:
    """Tell whether a line may be held for a footer or a total: the last with one cell, or one without an id."""
    if isinstance(wanted, str):
        return not wanted or "total" in wanted.lower()
    records = case.records or []
    return wanted in records[-3:] or not any(cell.strip() for cell in wanted.cells)


def assert_may_be_refused(case: Case, reason: str) -> None:
    """A file may be refused as a whole for its delimiter, for what no text holds, or for a record without an end."""
    if case.delimiter not in ",;\t|":
        assert "has the columns" in reason
    elif "\0" in case.text:
        assert "binary" in reason
    elif case.records is None:
        assert "never closed" in reason
    elif not case.records:
        assert "but no rows" in reason
    elif "only totals or footers" in reason:
        assert all(len(re.findall(r"[0-9]+", record.text)) == 1 for record in case.records)
    else:
        assert any(len(record.text) > LONG for record in case.records)
        assert "longer" in reason or "more than" in reason
