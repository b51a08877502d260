import csv
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.parsing import NotTextError, Parser, ReadingOptions, UnreadableFileError
from services.ingest.api.reading.records import LINE_LIMIT
from shared.messages import Bounds, Kind, Totals

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "data"
SEED = ROOT.parent / "shared" / "seed-data"
STATS = "date,ad_group_id,device,impressions,clicks,conversions,cost\n"
ESCAPES = {"\\t": "\t", "\\n": "\n", "\\r": "\r", "\\\\": "\\"}

Parse = Callable[..., Parsed]


@pytest.fixture
def parse(tmp_path: Path) -> Parse:
    """Parse a file, or what would stand in one."""

    def parse(content: str | bytes | Path, kind: Kind | None = None) -> Parsed:
        if not isinstance(content, Path):
            (tmp_path / "source").write_bytes(content.encode() if isinstance(content, str) else content)
            content = tmp_path / "source"
        parser = Parser(tmp_path)
        try:
            return parser.parse(content, tmp_path, ReadingOptions(kind))
        finally:
            parser.close()

    return parse


def decoded(path: Path) -> list[list[str | None]]:
    """What PostgreSQL's COPY reads from a file in its text format."""
    lines = path.read_bytes().decode().split("\n")
    assert lines.pop() == ""
    return [[None if cell == r"\N" else unescaped(cell) for cell in line.split("\t")] for line in lines]


def unescaped(cell: str) -> str:
    assert "\r" not in cell
    return re.sub(r"\\.", lambda escape: ESCAPES[escape[0]], cell)


def counts(parsed: Parsed) -> tuple[int, int, int, int]:
    return parsed.rows_read, parsed.rows_accepted, parsed.rows_merged, parsed.rows_rejected


def sums(path: Path, lines: set[int]) -> Totals:
    """The sums over a file's rows but those on `lines`, in micros."""
    with path.open(newline="") as file:
        rows = [row for line, row in enumerate(csv.DictReader(file), 2) if line not in lines]
    units = {"impressions": 1, "clicks": 1, "conversions": 10**6, "cost": 10**6}
    return Totals(
        **{name: sum((Decimal(row[name]) * unit for row in rows), Decimal(0)) for name, unit in units.items()}
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "The file is empty."),
        ("\ufeff\r\n\n", "The file is empty."),
        (STATS, "The file has a header row, but no rows."),
        (STATS.strip(), "The file has a header row, but no rows."),
        (STATS + "\n\r\n", "The file has a header row, but no rows."),
        ("ad_group_id,ad_group_name,campaign_id\n", "The file has a header row, but no rows."),
        (
            STATS + '2024-01-31,7,"MOBILE,1,1,1,1\n' + STATS * 9,
            "Line 2: a double quote opens a field that is never closed.",
        ),
        (STATS + "x" * (LINE_LIMIT + 1), f"Line 2 is longer than {LINE_LIMIT} characters."),
        ("campaign_id," + "x" * 150_000 + "\n1,2\n", "The header row has the columns: campaign_id, xxx"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_the_reason(parse: Parse, content: str, message: str) -> None:
    with pytest.raises(UnreadableFileError, match="^" + re.escape(message)) as refused:
        parse(content)

    assert not isinstance(refused.value, NotTextError)


@pytest.mark.parametrize("kind", [None, *Kind])
@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(100), STATS.encode("utf-16-le")])
def test_a_binary_file_is_told_what_to_send_instead(parse: Parse, content: bytes, kind: Kind | None) -> None:
    with pytest.raises(NotTextError, match=r"^The file is binary\. Send CSV text; spreadsheets can export"):
        parse(content, kind)


def test_a_header_we_do_not_know_is_told_what_would_be_known(parse: Parse) -> None:
    with pytest.raises(UnreadableFileError, match=r"has the columns: when, what\. .*campaigns needs campaign_id, camp"):
        parse("when,what\n2024-01-31,1\n")


def test_a_file_is_not_read_as_another_kind_than_was_asked_for(parse: Parse) -> None:
    with pytest.raises(UnreadableFileError, match=r"^The header row has the columns: date, .*\. ad_groups needs "):
        parse(STATS + "2024-01-31,7,MOBILE,1,1,1,1\n", Kind.AD_GROUPS)


def test_rows_of_one_key_that_add_up_to_more_than_can_be_stored_are_refused_together(parse: Parse) -> None:
    row = f"2024-01-31,7,MOBILE,{10**15},1,1,1\n"
    assert parse(STATS + row * 9223).totals.impressions == 9223 * 10**15

    with pytest.raises(UnreadableFileError, match=f"of one key add up to more impressions .*{2**63 - 1}"):
        parse(STATS + row * 9224)


def test_a_file_of_which_every_row_is_rejected_is_still_understood(parse: Parse) -> None:
    parsed = parse(STATS + "x,7,MOBILE,1,1,1,1\n2024-01-31\n")

    assert counts(parsed) == (2, 0, 0, 2)
    assert (parsed.totals, parsed.bounds) == (Totals(), None)
    assert decoded(parsed.rows) == []
    assert [row[0] for row in decoded(parsed.rejections)] == ["2", "3"]


def test_rows_with_the_same_key_are_summed_and_sorted_by_key(parse: Parse) -> None:
    parsed = parse(
        STATS
        + "2024-02-01,10,DESKTOP,1,2,3,4\n2024-01-31,9,MOBILE,5,6,0.5,0.25\n2024-01-31,10,Mobile,1,1,1,1\n"
        + "2024-01-31,9,mobile,5,6,0.5,0.25\n2024-01-31,10,MOBILE,1,1,1,1\n2024-01-31,10,UNKNOWN,0,0,0,0\n"
    )

    assert decoded(parsed.rows) == [
        ["9", "2024-01-31", "1", "10", "12", "1000000", "500000"],
        ["10", "2024-01-31", "0", "0", "0", "0", "0"],
        ["10", "2024-01-31", "1", "2", "2", "2000000", "2000000"],
        ["10", "2024-02-01", "2", "1", "2", "3000000", "4000000"],
    ]
    assert counts(parsed) == (6, 4, 2, 0)
    assert parsed.bounds == Bounds(
        first_date=date(2024, 1, 31), last_date=date(2024, 2, 1), first_ad_group=9, last_ad_group=10
    )
    assert [*map(int, (parsed.totals.impressions, parsed.totals.cost))] == [13, 6_500_000]


def test_without_a_device_column_the_device_is_unknown(parse: Parse) -> None:
    parsed = parse("cost,conversions,clicks,impressions,ad_group_id,date\n4,3,2,1,7,2024-01-31\n")

    assert decoded(parsed.rows) == [["7", "2024-01-31", "0", "1", "2", "3000000", "4000000"]]


def test_of_a_campaign_the_last_name_and_the_last_type_by_line_win_each_for_itself(parse: Parse) -> None:
    lines = ["1,First,SEARCH", "2,Other,", "1,,VIDEO", "1,Last,", '"1","  ",""', "3,,", "x,Bad,BAD", "1,Bad", "2,,NEW"]
    parsed = parse("campaign_id,campaign_name,campaign_type\n" + "\n".join(lines))

    assert decoded(parsed.rows) == [["1", "Last", "VIDEO"], ["2", "Other", "NEW"], ["3", None, None]]
    assert counts(parsed) == (9, 3, 4, 2)
    assert (parsed.totals, parsed.bounds) == (Totals(), None)


def test_of_an_ad_group_the_last_name_and_the_last_campaign_by_line_win(parse: Parse) -> None:
    lines = [f"{line % 3},name {line},{1000 + line}" for line in range(30_000)]
    parsed = parse("ad_group_id,ad_group_name,campaign_id\n" + "\n".join([*lines, "0,,5", "1,,"]))

    assert decoded(parsed.rows) == [
        ["0", "name 29997", "5"],
        ["1", "name 29998", "30998"],
        ["2", "name 29999", "30999"],
    ]
    assert decoded(parsed.rejections) == [["30003", "campaign_id", "", "is empty", "1,,"]]


NAMES = [
    *("tab\there", "new\nline\n\nand another", "back\\slash\\", r"\N", r"\n", r"\.", "\\", "a\\\tb\\\n", "\\\\t"),
    *('"quoted"', 'say ""twice""', "it's", "comma, semicolon; pipe|", "été Ünïcödé", "👩‍👩‍👧 🇩🇪 \U0001f600", "日本語"),
    *("a  b", "\x01\x0b\x0c\x1b\x7f\x85", "\u2028\u2029", "NULL", "0", "b\ufeffom", "{}", "%s", "$1"),
]


def test_names_come_through_the_copy_format_as_they_were(parse: Parse, tmp_path: Path) -> None:
    with (tmp_path / "campaigns.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("campaign_id", "campaign_name", "campaign_type"), *enumerate_twice(NAMES)])
    parsed = parse(tmp_path / "campaigns.csv")

    assert decoded(parsed.rows) == [[str(number), name, name] for number, name, _ in enumerate_twice(NAMES)]
    assert counts(parsed) == (len(NAMES), len(NAMES), 0, 0)


def enumerate_twice(names: list[str]) -> list[tuple[int, str, str]]:
    return [(number, name, name) for number, name in enumerate(names)]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_inside_a_name_become_those_of_unix(parse: Parse, end: str) -> None:
    assert decoded(parse(f'campaign_id,campaign_name{end}1,"a{end}b"{end}').rows) == [["1", "a\nb", None]]


@pytest.mark.parametrize("value", [name for name in NAMES if name != "0"])
def test_rejected_values_come_through_the_copy_format_as_they_were(parse: Parse, value: str) -> None:
    quoted = value.replace('"', '""')
    parsed = parse(STATS + f'2024-01-31,7,MOBILE,"{quoted}",1,1,1\n"{quoted}"\n')
    line = 3 + value.count("\n")

    assert decoded(parsed.rejections) == [
        ["2", "impressions", value, "is not a whole number", f'2024-01-31,7,MOBILE,"{quoted}",1,1,1'],
        [str(line), None, f'"{quoted}"', "has 1 fields, the header has 7", f'"{quoted}"'],
    ]


@pytest.mark.skipif(not SEED.exists(), reason="the seed data is not at hand")
def test_the_seed_data_is_read_whole(parse: Parse) -> None:
    stats = parse(SEED / "ad_group_stats.csv")

    assert counts(stats) == (5100, 4903, 197, 0)
    assert stats.totals == sums(SEED / "ad_group_stats.csv", set())
    assert counts(parse(SEED / "ad_groups.csv")) == (14, 14, 0, 0)
    assert counts(parse(SEED / "campaigns.csv")) == (4, 4, 0, 0)


def test_the_sample_data_is_read_as_its_readme_says(parse: Parse) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    bad = [int(line) for line in re.findall(r"^\| (\d+) \| [^|]+ \| `.+` \|$", readme, re.MULTILINE)]
    parsed = parse(SAMPLES / "ad_group_stats.csv")

    assert [int(row[0] or 0) for row in decoded(parsed.rejections)] == bad
    assert f"| keys | {parsed.rows_accepted} |" in readme
    assert parsed.totals == sums(SAMPLES / "ad_group_stats.csv", set(bad))
