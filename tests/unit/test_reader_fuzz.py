"""Files drawn at random, read by our reader and by a slow and strict one that shares no code with it."""

import csv
import io
from dataclasses import replace
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.messy_files import Messy, messy
from tests.support.reading import Outcome, Reader
from tests.support.strict_reader import Account, account, split

VALUE_LIMIT = 500
ODD_BYTES = (
    b"\0",
    b'"',
    b"\n",
    b"\r",
    b",",
    b"\t",
    b";",
    b"\xff",
    b"\xfe",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc3",
    b"-",
)
seeds = st.integers(0, 2**32)
several = settings(max_examples=70, deadline=None, derandomize=True)


def read(file: Messy, files: Reader) -> Outcome:
    """Read a file; what is asked about it must be in doubt, and is answered."""
    answers: dict[str, str | None] = {}
    outcome = files.ask(file.content)
    for _ in range(2):
        if isinstance(outcome, str) and "?locale=" in outcome:
            assert file.asks_for_numbers, outcome
            answers["locale"] = "comma" if file.comma else "point"
        elif isinstance(outcome, str) and "?date_order=" in outcome:
            assert file.asks_for_dates, outcome
            answers["date_order"] = file.date_order
        else:
            break
        outcome = files.ask(file.content, **answers)
    assert isinstance(outcome, Outcome), (outcome, file.content)
    return outcome


def assert_same(outcome: Outcome, expected: Account, file: Messy) -> None:
    parsed = outcome.parsed
    assert outcome.sums == expected.sums
    assert {each.line for each in outcome.refused} == expected.refused.keys()
    assert outcome.report.rows_total == expected.aside
    assert parsed.rows_accepted + parsed.rows_merged == expected.accepted
    assert parsed.rows_read == expected.accepted + len(expected.refused) + expected.aside
    headers = {each.column: each.header for each in outcome.report.columns}
    for refused in outcome.refused:
        text, wrong = expected.refused[refused.line]
        assert refused.text.replace("\r\n", "\n").replace("\r", "\n") == text
        if wrong:
            values = {headers[name]: cell[:VALUE_LIMIT] for name, cell in wrong.items()}
            assert values[str(refused.column)] == (refused.value or "").strip()
        else:
            assert refused.column is None
    assert outcome.report.header_line == file.told.header_line
    assert outcome.report.delimiter == file.delimiter


@several
@given(seed=seeds)
def test_a_messy_file_is_read_just_as_a_strict_reader_would(seed: int, files: Reader) -> None:
    file = messy(Random(seed), spoilt=True)
    expected = account(file.content, file.told)
    if not expected.accepted + len(expected.refused):
        return

    assert_same(read(file, files), expected, file)


@several
@given(seed=seeds)
def test_a_clean_file_is_read_just_as_a_strict_reader_would(seed: int, files: Reader) -> None:
    file = replace(messy(Random(seed), spoilt=True), spoilt=False)
    expected = account(file.content, file.told)
    assert expected.refused == {}

    assert_same(read(file, files), expected, file)


@several
@given(seed=seeds)
def test_the_strict_reader_cuts_a_file_as_the_csv_module_does(seed: int) -> None:
    file = replace(messy(Random(seed), spoilt=True), spoilt=False)
    text = file.content.decode(file.encoding).removeprefix("\ufeff")
    lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
    expected = [cells for cells in csv.reader(lines, delimiter=file.delimiter) if cells]

    assert [record.cells for record in split(text, file.delimiter)] == expected


@settings(max_examples=35, deadline=None, derandomize=True)
@given(seed=seeds)
def test_refused_rows_that_are_mended_and_sent_again_complete_the_file(seed: int, files: Reader) -> None:
    file = messy(Random(seed), spoilt=True)
    whole = account(replace(file, spoilt=False).content, replace(file, spoilt=False).told)
    first = read(file, files)
    bad = [line for line in file.lines if line.text != line.right]
    assert [each.text for each in first.refused] == [
        line.text.replace("\n", file.end) for line in bad
    ] or file.end != "\n"
    if not bad:
        return
    mended = replace(file, lines=bad, spoilt=False, preamble=[])
    options = {"locale": "comma" if file.comma else "point", "date_order": file.date_order}
    second = files.read(mended.content, **options)

    assert second.refused == []
    assert together(first, second) == whole.sums


def together(*outcomes: Outcome) -> dict[tuple[int, str, int], tuple[int, ...]]:
    found: dict[tuple[int, str, int], tuple[int, ...]] = {}
    for outcome in outcomes:
        for key, values in outcome.sums.items():
            found[key] = tuple(a + b for a, b in zip(found.get(key, (0,) * 4), values, strict=True))
    return found


@settings(max_examples=140, deadline=None, derandomize=True)
@given(seed=seeds)
@example(seed=0)
def test_whatever_happens_to_its_bytes_a_file_is_read_or_refused_with_a_reason(seed: int, files: Reader) -> None:
    random = Random(seed)
    file = messy(random, spoilt=random.random() < 0.5)
    content = damaged(file.content, random)
    answers = {"locale": random.choice([None, "comma", "point"]), "date_order": random.choice([None, "dmy", "ymd"])}
    answers["encoding"] = random.choice([None, None, None, "utf-8", "windows-1252", "utf-16", "shift_jis"])
    outcome = files.ask(content, **answers)

    if isinstance(outcome, str):
        assert outcome.endswith((".", "?", "…"))
    else:
        ends = sum(content.count(end.encode()) for end in ("\n", "\r"))
        assert outcome.parsed.rows_read <= ends + 1


def damaged(content: bytes, random: Random) -> bytes:
    """Return bytes of which some are lost, doubled, moved or changed."""
    for _ in range(random.randint(1, 5)):
        at, to = sorted(random.randrange(len(content) + 1) for _ in range(2))
        odd = random.choice([*ODD_BYTES, random.randbytes(3)])
        content = (
            random.choice(
                [
                    content[:at] + odd + content[at:],
                    content[:at] + odd + content[at + len(odd) :],
                    content[:at] + content[min(to, at + 20) :],
                    content[:at] + content[at:to] * 2 + content[to:],
                    content[:to],
                    content[to:at] + content[:to] + content[at:],
                ]
            )
            or b"x"
        )
    return content
