import tempfile
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.api.reading.checks import CELL_LIMIT, ID_LIMIT, NAME_LIMIT
from services.ingest.api.reading.parsing import Parser

STATS = "date,ad_group_id,device,impressions,clicks,conversions,cost"
CAMPAIGNS = "Campaign ID,campaign_name,campaign_type"
GOOD = "2024-01-31,7,MOBILE,10,2,0.5,1.25"

Rejections = list[tuple[int, str | None, str, str]]


def read(*lines: str) -> tuple[list[list[str]], Rejections]:
    """The accepted rows of a file, and the rejected ones, in which nothing needs an escape here but backslashes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
        parser = Parser(Path(folder))
        parsed = parser.parse(source, Path(folder))
        parser.close()
        rows = [line.split("\t") for line in parsed.rows.read_text().splitlines()]
        rejected = [line.split("\t") for line in parsed.rejections.read_text().splitlines()]
    return rows, [(int(line), None if name == r"\N" else name, text, why) for line, name, text, why, _ in rejected]


def spoilt(**cells: str) -> str:
    return ",".join((dict(zip(STATS.split(","), GOOD.split(","), strict=True)) | cells).values())


WHOLE = "is not a whole number"
NUMBER = "is not a number like 1234.56"
NEGATIVE = "is negative"
EMPTY = "is empty"
MISSING = "is missing"
LIKE_A_DATE = "is not a date like 2024-01-31"
ROUNDED = "is an id that a spreadsheet has rounded; export it again as text"
APART = "its digits are set apart like an amount's; export it again as text"
DECIMAL = "an id that was made a decimal one, perhaps rounded; export it again as text"
DEVICES = "is not a device we know (UNKNOWN, MOBILE, DESKTOP, TABLET, CONNECTED_TV, OTHER)"

REFUSED_CELLS = [
    *[("date", text, LIKE_A_DATE) for text in ("31/01/2024", "31 Jan 2024", "today")],
    *[("date", text, f"{LIKE_A_DATE}: its year has two digits") for text in ("24-01-31", "31/1/24", "1.31.24")],
    *[("date", text, f"{LIKE_A_DATE}, but a day as spreadsheets count them") for text in ("45966", "36526")],
    *[("date", text, "is not a day of the calendar") for text in ("2023-02-29", "2024-13-01", "2024-00-10")],
    *[("date", text, "is before 2000-01-01") for text in ("1999-12-31", "0001-01-01")],
    *[(name, "", EMPTY) for name in STATS.split(",")],
    *[(name, "  ", EMPTY) for name in STATS.split(",")],
    *[(name, "-1", NEGATIVE) for name in STATS.split(",") if name not in {"date", "device"}],
    *[("conversions", text, NEGATIVE) for text in ("-0.5", "-.5", "-3E-05", "-0")],
    *[(name, text, MISSING) for name in STATS.split(",") for text in ("--", " --", "-", "\u2014")],
    *[(name, "ten", WHOLE) for name in ("ad_group_id", "impressions", "clicks")],
    *[(name, "1.5", WHOLE) for name in ("ad_group_id", "impressions", "clicks")],
    ("ad_group_id", "1E-5", WHOLE),
    *[("ad_group_id", text, f"{WHOLE}: {APART}") for text in ("402'718", "402.718.367", "402 718", "402\u00a0718")],
    *[("ad_group_id", text, f"{WHOLE}, but {DECIMAL}") for text in ("402718367481.0", "7.00")],
    *[(name, "1e3", WHOLE) for name in ("impressions", "clicks")],
    *[(name, "٣", WHOLE) for name in ("ad_group_id", "impressions", "clicks")],
    *[("conversions", text, NUMBER) for text in ("some", "0x10", "1e", ".", "1 00", "1e100", "NaN", "Infinity", "+1")],
    *[("cost", text, NUMBER) for text in ("1$1", "1.2.3", "5%", "1_0", "٣", "XYZ 1")],
    *[("ad_group_id", text, ROUNDED) for text in ("1.23E+17", "1E+5", "123e+15")],
    ("ad_group_id", str(ID_LIMIT + 1), f"is larger than any id ({ID_LIMIT})"),
    ("ad_group_id", "1" * 40, f"is larger than any id ({ID_LIMIT})"),
    *[(name, str(CELL_LIMIT + 1), f"is larger than {CELL_LIMIT}") for name in ("impressions", "clicks")],
    *[("cost", text, "is larger than 1000000000") for text in ("1000000000.000001", "1E+10", "1" * 40, "9e99")],
    *[("device", text, DEVICES) for text in ("TOASTER", "MOBILE PHONEY", "1", 'MOBILE"', "MOBILE'")],
]


@pytest.mark.parametrize(("name", "text", "reason"), REFUSED_CELLS)
def test_a_cell_is_refused_with_its_line_its_column_its_text_and_why(name: str, text: str, reason: str) -> None:
    rows, rejections = read(STATS, GOOD, spoilt(**{name: text}), "", GOOD)

    assert rejections == [(3, name, text.strip(), reason)]
    assert rows == [["7", "2024-01-31", "1", "20", "4", "1000000", "2500000"]]


FIELDS = "has {} fields, the header has 7"
BEYOND = "has more fields than the header, which has 7"
QUOTED = "has a quoted field that does not end at its closing quote"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("2024-01-31,7,MOBILE,10,2,0.5", FIELDS.format(6)),
        ("2024-01-31", FIELDS.format(1)),
        (f"{GOOD},1", BEYOND),
        (f"{GOOD},,,1", BEYOND),
        (spoilt(device='"MOBILE"x'), QUOTED),
        (spoilt(device='"MOB"ILE"'), QUOTED),
        (spoilt(device='"MOBILE" "x'), QUOTED),
        ('"a"b', QUOTED),
    ],
)
def test_a_record_that_is_no_row_is_refused_with_its_line_its_text_and_why(record: str, reason: str) -> None:
    rows, rejections = read(STATS, GOOD, "", record, GOOD, spoilt(device='"MOBILE"'))

    assert rejections == [(4, None, record, reason)]
    assert rows == [["7", "2024-01-31", "1", "30", "6", "1500000", "3750000"]]


def test_empty_fields_after_the_last_column_are_passed_over() -> None:
    rows, rejections = read(STATS, f"{GOOD},", f'{GOOD},,""')

    assert (rows, rejections) == ([["7", "2024-01-31", "1", "20", "4", "1000000", "2500000"]], [])


def test_a_name_may_be_a_thousand_characters_long_and_no_longer() -> None:
    longest = "é😀" * (NAME_LIMIT // 2)
    rows, rejections = read(CAMPAIGNS, f"1,{longest},", f"2,{longest}x,", "3,x,y")

    assert rows == [["1", longest, r"\N"], ["3", "x", "y"]]
    assert rejections == [(3, "campaign_name", longest[:500], "is longer than 1000 characters")]


def test_a_name_that_holds_a_nul_is_refused() -> None:
    many = ["1,x,"] * 3000  # A file that begins with a NUL is refused as binary.
    rows, rejections = read(CAMPAIGNS, *many, "2,a\0b,", "3,y,z")

    assert rows == [["1", "x", r"\N"], ["3", "y", "z"]]
    assert rejections == [(3002, "campaign_name", "a\N{SYMBOL FOR NULL}b", "holds a NUL character")]


def test_the_column_of_a_refused_cell_has_the_name_that_the_file_gives_it() -> None:
    _, rejections = read(" Campaign ID ,it's,CAMPAIGN-NAME", "x,y,z")

    assert rejections == [(2, "Campaign ID", "x", WHOLE)]


def test_a_row_is_refused_for_its_first_bad_cell_once() -> None:
    _, rejections = read(STATS, "yesterday,-7,TOASTER,a,b,c,d", spoilt(cost="x", clicks="-1"))

    assert rejections == [(2, "date", "yesterday", LIKE_A_DATE), (3, "clicks", "-1", NEGATIVE)]


def test_refused_rows_come_in_the_order_of_their_lines_whatever_is_wrong_with_them() -> None:
    bad = [spoilt(cost="x"), "too,few", spoilt(date=""), spoilt(cost="-"), '"a"b', f"{GOOD},1"] * 20
    _, rejections = read(STATS, *bad)

    assert [line for line, *_ in rejections] == list(range(2, 122))


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("cost", "3.10E-05", 31),
        ("conversions", "3.10e-05", 31),
        ("cost", "1E+9", 10**15),
        ("cost", "1000000000", 10**15),
        ("cost", "1000000000.0000004", 10**15),
        ("cost", ".5", 500_000),
        ("cost", "5.", 5_000_000),
        ("cost", " 007.10 ", 7_100_000),
        ("cost", "0.0000005", 1),
        ("cost", "0.00000049999999999999999999", 0),
        ("cost", "5e-7", 1),
        ("cost", "1e-99", 0),
        ("cost", "123456789.123456", 123_456_789_123_456),
        ("impressions", str(CELL_LIMIT), CELL_LIMIT),
        ("clicks", "000123", 123),
        ("ad_group_id", str(ID_LIMIT), ID_LIMIT),
        ("ad_group_id", "9007199254740993", 2**53 + 1),
        ("device", " Connected_tv ", 4),
        ("date", "2000-01-01", "2000-01-01"),
        ("date", " 2024-02-29 ", "2024-02-29"),
    ],
)
def test_a_cell_is_accepted_as_exactly_what_it_says(column: str, text: str, value: int | str) -> None:
    rows, rejections = read(STATS, spoilt(**{column: text}))
    found = dict(zip(("ad_group_id", "date", *STATS.split(",")[2:]), rows[0], strict=True))

    assert rejections == []
    assert found[column] == str(value)


def amounts() -> st.SearchStrategy[str]:
    whole = st.integers(0, 10**9 - 1)
    ties = st.tuples(whole, st.from_regex(r"[0-9]{6}[456]([09]{0,9}|[0-9]{1,9})", fullmatch=True))
    floats = st.tuples(whole, st.sampled_from(["", ".0", ".5", ".4999999"]), st.integers(-16, 0))
    return ties.map(lambda it: f"{it[0]}.{it[1]}") | floats.map(lambda it: f"{it[0]}{it[1]}E{it[2]:+03d}")


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(amounts(), min_size=1, max_size=40))
def test_amounts_are_rounded_half_away_from_zero_at_the_seventh_decimal(texts: list[str]) -> None:
    rows, rejections = read(STATS, *(spoilt(ad_group_id=str(i), cost=text) for i, text in enumerate(texts)))

    exact = Context(prec=60)
    rounded = [Decimal(text).quantize(Decimal("1e-6"), ROUND_HALF_UP, exact) for text in texts]
    assert rejections == []
    assert [Decimal(row[-1]).scaleb(-6) for row in rows] == rounded


def test_amounts_are_rounded_cell_by_cell_before_they_are_summed() -> None:
    rows, _ = read(STATS, *[spoilt(cost="0.0000005")] * 3, *[spoilt(cost="0.0000004")] * 3)

    assert rows[0][-1] == "3"
