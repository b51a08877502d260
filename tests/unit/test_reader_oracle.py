import csv
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from services.ingest.api.reading import flat, parsing
from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.parsing import Parser, UnreadableFileError

HEADER = "date,ad_group_id,device,impressions,clicks,conversions,cost"
DEVICES = ["UNKNOWN", "MOBILE", "DESKTOP", "TABLET", "CONNECTED_TV", "OTHER"]
LINE_ENDS = [["\n"], ["\r\n"], ["\r"], ["\n", "\r\n", "\r"]]
AMOUNT = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]{1,2})?")
ODD_CELLS = [
    *("", "-1", "1.5", "1e3", "1,5", "x", '"', 'a"b', '"a"b', '"a""b"', '""', "\n", "1\n2", "1\r2"),
    *("2024-02-30", "1999-12-31", "01/02/2024", "9223372036854775808", "1.2E+17", "1000000000000001", "1000000000.1"),
]

Key = tuple[int, str, int]
Account = tuple[int, list[int], dict[Key, list[int]]]

NOTHING: tuple[list[int], dict[Key, list[int]]] = ([], {})


class UnclosedError(Exception):
    pass


def oracle(text: str) -> Account:
    read, refused = 0, []
    sums: dict[Key, list[int]] = {}
    for line, record in list(records_of(text))[1:]:
        read += 1
        try:
            cells = cells_of(line, record)
            if any(cell.strip(" \t") for cell in cells):  # a record with nothing in it says nothing
                key, values = row_of(cells)
                sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), values, strict=True)]
        except ValueError:
            refused.append(line)
    return read, refused, sums


def records_of(text: str) -> Iterator[tuple[int, str]]:
    lines = re.split("\r\n|\r|\n", text)
    reader = csv.reader((f"{line}\n" for line in lines), skipinitialspace=True)
    end = 0
    for cells in reader:
        start, end = end, reader.line_num
        if cells:
            yield start + 1, "\n".join(lines[start:end])


def cells_of(line: int, record: str) -> list[str]:
    try:
        return next(csv.reader([record], skipinitialspace=True, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise UnclosedError(line) from error
        raise ValueError(record) from error


def row_of(cells: list[str]) -> tuple[Key, list[int]]:
    if any(cells[7:]):  # empty fields after the last column say nothing: a delimiter too many at the end of a line
        raise ValueError(cells)
    day, group, device, impressions, clicks, conversions, cost = (cell.strip(" \t") for cell in cells[:7])
    key = (whole(group, 2**63 - 1), day_of(day), DEVICES.index(device.upper()))
    return key, [count(impressions), count(clicks), micros(conversions), micros(cost)]


def day_of(text: str) -> str:
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) and date.fromisoformat(text) >= date(2000, 1, 1):
        return text
    raise ValueError(text)


def count(text: str) -> int:
    return whole(re.sub(r"(?<=[0-9])\.0{1,2}$", "", text), 10**15)


def whole(text: str, limit: int) -> int:
    if re.fullmatch("[0-9]+", text) and int(text) <= limit:
        return int(text)
    raise ValueError(text)


def micros(text: str) -> int:
    if AMOUNT.fullmatch(text):
        amount = Decimal(text).quantize(Decimal("1e-6"), ROUND_HALF_UP, Context(prec=150))
        if amount <= 10**9:
            return int(amount.scaleb(6))
    raise ValueError(text)


def good_cells() -> st.SearchStrategy[list[str]]:
    counts = st.integers(0, 10**15).map(str) | st.sampled_from(["0", "007", " 12 "])
    amounts = st.decimals(0, 10**9, places=7).map(str) | st.sampled_from(["0", ".5", "3.10E-05", "5e-7", "1.", "1E+9"])
    return st.tuples(
        st.sampled_from(["2024-02-29", "2000-01-01", " 2024-12-31"]),
        st.sampled_from(["1", "2", "9223372036854775807"]),
        st.sampled_from(["MOBILE", "mobile", "Other "]),
        *(counts, counts, amounts, amounts),
    ).map(list)


@st.composite
def files(draw: st.DrawFn, *, spoilt: bool) -> str:
    rows = draw(st.lists(good_cells(), min_size=0 if spoilt else 1, max_size=12))
    random = draw(st.randoms(use_true_random=False))
    rows += [row for row in rows if random.random() < 0.2]
    random.shuffle(rows)
    records = [",".join(quoted_at_random(cell, random) for cell in row) for row in rows]
    if spoilt and rows:
        odd = st.sampled_from(ODD_CELLS) | st.text('01,"\n\re.-\t\\é😀', max_size=5).filter(is_no_footer)
        for cell in draw(st.lists(odd, max_size=5)):
            at = random.randrange(len(rows))
            records[at] = spoil(rows[at], cell, random)
    return laid_out([HEADER, *records], random, random.choice(LINE_ENDS if spoilt else LINE_ENDS[:3]))


def quoted_at_random(cell: str, random: Random) -> str:
    return '"' + cell.replace('"', '""') + '"' if random.random() < 0.2 else cell


def is_no_footer(cell: str) -> bool:
    """Tell whether the cell leaves no line of its own that could pass for a count below the rows, such as `1é`."""
    lines = cell.splitlines() if set(cell) & set("\n\r") else []
    return not any(set(line) & set("01") and set(line) & set("eé😀") for line in lines)


def spoil(row: list[str], cell: str, random: Random) -> str:
    cells = [*row]
    column = random.randrange(len(cells))
    cells[column] = random.choice([cell, quoted_at_random(cell, random), cells[column] + cell])
    return ",".join(cells[: random.choice([6, 7, 7, 7])] + [cell] * random.choice([0, 0, 0, 1]))


def laid_out(records: list[str], random: Random, ends: list[str]) -> str:
    blanks = random.choice([0, 0.1])
    gaps = [random.choice(ends) * (2 if random.random() < blanks else 1) for _ in records]
    gaps[-1] = random.choice(["", gaps[-1]])
    return "".join(record + gap for record, gap in zip(records, gaps, strict=True))


def parse(text: str) -> tuple[Parsed, bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(text.encode("utf-8", "surrogateescape"))
        parser = Parser(Path(folder))
        try:
            parsed = parser.parse(source, Path(folder))
        finally:
            parser.close()
        bodies = parsed.rows.read_bytes(), parsed.rejections.read_bytes()
    return replace(parsed, rows=Path("rows"), rejections=Path("rejections")), *bodies


def account(text: str) -> Account:
    parsed, accepted, rejected = parse(text)
    rows = [line.split("\t") for line in accepted.decode().splitlines()]
    refused = [int(line.split("\t")[0]) for line in rejected.decode().split("\n")[:-1]]
    sums = {(int(row[0]), row[1], int(row[2])): [int(cell) for cell in row[3:]] for row in rows}

    assert list(sums) == sorted(sums)
    assert parsed.rows_accepted == len(rows) == len(sums)
    assert parsed.rows_rejected == len(refused)
    taken = parsed.rows_accepted + parsed.rows_merged + parsed.rows_rejected
    assert taken + parsed.report.rows_total == parsed.rows_read
    assert list(astuple(parsed.totals)) == [sum(column) for column in zip(*sums.values(), strict=True)] or [0] * 4
    return parsed.rows_read, refused, sums


@settings(max_examples=35, deadline=None)
@given(text=files(spoilt=True))
def test_each_record_is_counted_or_refused_just_as_a_strict_reader_would(text: str) -> None:
    try:
        expected = oracle(text)
    except UnclosedError as error:
        with pytest.raises(UnreadableFileError, match=rf"^Line {error}: a double quote .* never closed\.$"):
            parse(text)
        return
    if expected[1:] == NOTHING:
        with pytest.raises(UnreadableFileError, match="no rows"):
            parse(text)
        return

    assert account(text) == expected


@settings(max_examples=25, deadline=None)
@given(text=files(spoilt=False))
def test_a_clean_file_says_the_same_whether_its_lines_are_numbered_or_not(text: str) -> None:
    at_once = parse(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parsing, "scan", lambda path: replace(flat.scan(path), is_flat=False))
        numbered = parse(text)

    assert at_once == numbered
    assert account(text) == oracle(text)


@settings(max_examples=12, deadline=None)
@given(text=files(spoilt=False))
def test_a_refused_row_changes_nothing_for_the_others(text: str) -> None:
    read, _, sums = oracle(text)
    header, rest = HEADER, text.removeprefix(HEADER)

    assert account(f"{header}\nnot,a,row{rest}") == (read + 1, [2], sums)
