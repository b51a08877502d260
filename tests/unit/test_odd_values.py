"""Values as people and platforms write them: read right, refused, or asked about."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.api.parsing import UnreadableFileError
from tests.support import google_exports as google
from tests.support import other_exports as other
from tests.support.reading import Outcome, Reader, reader

HEADER = ("date", "ad_group_id", "device", "impressions", "clicks", "conversions", "cost")
GOOD = ("2025-05-13", "7", "MOBILE", "500", "25", "2", "454.06")
SUMS = (500, 25, 2_000_000, 454_060_000)


@pytest.fixture(scope="module")
def files() -> Iterator[Reader]:
    with reader() as opened:
        yield opened


def content(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> bytes:
    return "".join("\t".join(cells) + "\n" for cells in (header, *rows)).encode()


def with_cell(column: str, cell: str, **others: str) -> tuple[str, ...]:
    cells = dict(zip(HEADER, GOOD, strict=True)) | {column: cell} | others
    return tuple(cells.values())


def value(outcome: Outcome, column: str) -> list[object]:
    """The values of one column of stats, in the order of the keys."""
    return [(*key, *values)[HEADER_OF_OURS.index(column)] for key, values in outcome.sums.items()]


HEADER_OF_OURS = ("ad_group_id", "date", "device", "impressions", "clicks", "conversions", "cost")


# Numbers of one file are all written one way, so each case is a whole column.
@pytest.mark.parametrize(
    ("cells", "micros"),
    [
        (["1,234.5", "12", "0.25"], [1_234_500_000, 12_000_000, 250_000]),
        (["1.234,5", "12", "0,25"], [1_234_500_000, 12_000_000, 250_000]),
        (["1 234,5", "12", "0,25"], [1_234_500_000, 12_000_000, 250_000]),
        (["1\N{NO-BREAK SPACE}234,5", "0,25"], [1_234_500_000, 250_000]),
        (["1\N{NARROW NO-BREAK SPACE}234,5", "0,25"], [1_234_500_000, 250_000]),
        (["1'234.5", "0.25"], [1_234_500_000, 250_000]),
        (["1\N{RIGHT SINGLE QUOTATION MARK}234.5", "0.25"], [1_234_500_000, 250_000]),
        (["12,34,567.5", "0.25"], [1_234_567_500_000, 250_000]),
        (["1.234.567", "0,5"], [1_234_567_000_000, 500_000]),
        (["1,234,567", "0.5"], [1_234_567_000_000, 500_000]),
        (["US$3.38", "US$1,000.50"], [3_380_000, 1_000_500_000]),
        (["$3.38", "$1,000.50"], [3_380_000, 1_000_500_000]),
        (["R$\N{NO-BREAK SPACE}0,00", "R$ 3,50"], [0, 3_500_000]),
        (["3,38 €", "1.000,50 €"], [3_380_000, 1_000_500_000]),
        (["€3.38", "€ 1,000.50"], [3_380_000, 1_000_500_000]),
        (["£3.38"], [3_380_000]),
        (["¥1,234.5"], [1_234_500_000]),
        (["Rs.201.68", "Rs.1,201.68"], [201_680_000, 1_201_680_000]),
        (["1234.5", "1e-6", "1.5E+3"], [1_234_500_000, 1, 1_500_000_000]),
        (["0.0000005", "0.00000049", "1.9999995"], [1, 0, 2_000_000]),
    ],
)
def test_amounts_are_read_as_they_are_written(cells: list[str], micros: list[int], files: Reader) -> None:
    rows = [with_cell("cost", cell, ad_group_id=str(number)) for number, cell in enumerate(cells)]
    outcome = files.read(content(*rows))

    assert outcome.refused == []
    assert value(outcome, "cost") == micros


@pytest.mark.parametrize(
    ("cell", "count"),
    [("1,356,884", 1356884), ("1.356.884", 1356884), ("1 356 884", 1356884), ("12,34,567", 1234567), ("007", 7)],
)
def test_counts_are_read_as_they_are_written(cell: str, count: int, files: Reader) -> None:
    outcome = files.read(content(with_cell("impressions", cell, clicks="1", cost="5", conversions="1")))

    assert value(outcome, "impressions") == [count]


@pytest.mark.parametrize("cell", ["1,234", "1.234"])
def test_an_amount_that_may_be_thousands_or_decimals_is_asked_about(cell: str, files: Reader) -> None:
    file = content(with_cell("cost", cell))
    with pytest.raises(UnreadableFileError, match="locale") as asked:
        files.read(file)

    assert cell in str(asked.value)


@pytest.mark.parametrize(
    ("cell", "evidence", "micros"),
    [
        ("1,234", "0.5", 1_234_000_000),
        ("1,234", "0,5", 1_234_000),
        ("1.234", "0.5", 1_234_000),
        ("1.234", "0,5", 1_234_000_000),
        ("1,234", "1,234,567", 1_234_000_000),
        ("1,234", "1,234.5", 1_234_000_000),
        ("1.234", "12.34", 1_234_000),
    ],
)
def test_the_rest_of_the_file_says_how_its_numbers_are_written(
    cell: str, evidence: str, micros: int, files: Reader
) -> None:
    rows = [with_cell("cost", cell)] + [with_cell("cost", "7", ad_group_id="8")] * 3000
    for file in (
        [*rows, with_cell("cost", evidence, ad_group_id="9")],
        [*rows, with_cell("conversions", evidence, ad_group_id="9")],
    ):
        assert value(files.read(content(*file)), "cost")[0] == micros


def refused_columns(outcome: Outcome | str) -> list[str | None] | str:
    """The columns of the refused rows, or why the whole file is refused."""
    return outcome if isinstance(outcome, str) else [each.column for each in outcome.refused]


def test_numbers_that_are_written_two_ways_are_never_read_both_ways(files: Reader) -> None:
    file = content(with_cell("cost", "1.234,5"), with_cell("cost", "1,234.5", ad_group_id="8"))
    refused = refused_columns(files.ask(file))

    assert refused == ["cost"] or "locale" in refused


@pytest.mark.parametrize("cell", ["05/06/2025", "5/6/2025", "05-06-2025", "05.06.2025"])
def test_days_that_may_be_months_are_asked_about(cell: str, files: Reader) -> None:
    file = content(with_cell("date", cell), with_cell("date", cell.replace("5", "1", 1)))
    with pytest.raises(UnreadableFileError, match="date_order"):
        files.read(file)


@pytest.mark.parametrize(
    ("cell", "evidence", "day"),
    [
        ("05/06/2025", "13/06/2025", "2025-06-05"),
        ("05/06/2025", "06/13/2025", "2025-05-06"),
        ("5.6.2025", "13.6.2025", "2025-06-05"),
        ("5-6-2025", "6-13-2025", "2025-05-06"),
    ],
)
def test_the_rest_of_the_file_says_in_which_order_its_dates_are(
    cell: str, evidence: str, day: str, files: Reader
) -> None:
    rows = [with_cell("date", cell), *[with_cell("date", cell, ad_group_id="8")] * 3000]
    for file in (
        [*rows, with_cell("date", evidence, ad_group_id="9")],
        [with_cell("date", evidence, ad_group_id="9"), *rows],
    ):
        assert value(files.read(content(*file)), "date")[0] == day


def test_dates_of_both_orders_are_never_read_both_ways(files: Reader) -> None:
    file = content(with_cell("date", "13/05/2025"), with_cell("date", "05/13/2025", ad_group_id="8"))
    refused = refused_columns(files.ask(file))

    assert refused == ["date"] or "date_order" in refused


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2025-05-13", "2025-05-13"),
        ("2025/05/13", "2025-05-13"),
        ("20250513", "2025-05-13"),
        ("May 13, 2025", "2025-05-13"),
        ("13 May 2025", "2025-05-13"),
        ("Tue, 13 May 2025", "2025-05-13"),
        ("13 de maio de 2025", "2025-05-13"),
        ("ter., 13 de mai. de 2025", "2025-05-13"),
        ("2025-05-13 00:00:00", "2025-05-13"),
        ("2025-05-13T17:00:00", "2025-05-13"),
        ("5/13/2025 12:00:00 AM|11", "2025-05-13"),
        ("Feb 1, 2020", "2020-02-01"),
        ("29/02/2024", "2024-02-29"),
    ],
)
def test_days_are_read_as_they_are_written(cell: str, day: str, files: Reader) -> None:
    assert value(files.read(content(with_cell("date", cell))), "date") == [day]


@pytest.mark.parametrize("cell", ["--", " --", "-", "—", " -- "])
def test_what_google_writes_for_nothing_is_zero_in_counts_and_amounts(cell: str, files: Reader) -> None:
    for column in HEADER[3:]:
        others = {"clicks": "0"} if column == "impressions" else {}
        assert value(files.read(content(with_cell(column, cell, **others))), column) == [0]


@pytest.mark.parametrize("cell", ["--", " --", "", "-"])
@pytest.mark.parametrize("column", ["date", "ad_group_id"])
def test_a_key_without_a_value_is_refused(column: str, cell: str, files: Reader) -> None:
    header = ("campaign_name", *HEADER)
    rows = [("Rain", *with_cell(column, cell)), ("Rain", *GOOD)]
    outcome = files.read(content(*rows, header=header))

    (refused,) = outcome.refused
    assert (refused.line, refused.column) == (2, column)
    assert list(outcome.sums.values()) == [SUMS]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("ad_group_id", "1.23E+17", "spreadsheet"),
        ("ad_group_id", "1,23E+17", "spreadsheet"),
        ("ad_group_id", "1e17", "spreadsheet"),
        ("ad_group_id", "9223372036854775808", "larger"),
        ("ad_group_id", "-5", "negative"),
        ("ad_group_id", "12.0", "whole"),
        ("clicks", "-3", "negative"),
        ("cost", "-3.50", "negative"),
        ("cost", "(3.50)", ""),
        ("cost", "1.2.3", "number"),
        ("cost", "NaN", "number"),
        ("cost", "inf", "number"),
        ("impressions", "1.5", "whole"),
        ("impressions", "1000000000000001", "larger"),
        ("cost", "1000000000.01", "larger"),
        ("date", "1999-12-31", "2000"),
        ("date", "2025-02-30", "calendar"),
        ("date", "yesterday", "date"),
        ("date", "2025-05", "date"),
        ("cost", "0x1F", "number"),
        ("cost", "12 34", ""),
        ("impressions", "1,23,4", ""),
        ("impressions", "\N{FULLWIDTH DIGIT FIVE}", "whole"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_reason(column: str, cell: str, reason: str, files: Reader) -> None:
    rows = (with_cell("ad_group_id", "8"), with_cell(column, cell), with_cell("ad_group_id", "9"))
    outcome = files.read(content(*rows))

    (refused,) = outcome.refused
    assert (refused.line, refused.column, refused.value) == (3, column, cell)
    assert reason in refused.reason
    assert refused.text == "\t".join(rows[1])
    assert list(outcome.sums.values()) == [SUMS, SUMS]


@pytest.mark.parametrize(
    "number", ["123456789012345679", "12345678901234567", "9007199254740993", "9223372036854775807"]
)
def test_ids_that_no_float_holds_are_kept_whole(number: str, files: Reader) -> None:
    neighbour = str(int(number) - 1)
    outcome = files.read(content(with_cell("ad_group_id", number), with_cell("ad_group_id", neighbour)))

    assert value(outcome, "ad_group_id") == [int(neighbour), int(number)]


def test_more_than_six_decimals_are_rounded_with_a_note(files: Reader) -> None:
    outcome = files.read(content(with_cell("cost", "0.1234567")))

    assert value(outcome, "cost") == [123_457]
    assert any("round" in note for note in outcome.report.notes)
    assert not any("round" in note for note in files.read(content(with_cell("cost", "0.123456"))).report.notes)


def test_more_clicks_than_impressions_are_loaded_with_a_warning(files: Reader) -> None:
    outcome = files.read(content(with_cell("clicks", "501")))

    assert list(outcome.sums.values()) == [(500, 501, *SUMS[2:])]
    assert any("clicks" in warning and "impressions" in warning for warning in outcome.report.warnings)
    assert files.read(content(GOOD)).report.warnings == []


def test_days_that_are_yet_to_come_are_loaded_with_a_warning(files: Reader) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    outcome = files.read(content(with_cell("date", day)))

    assert value(outcome, "date") == [day]
    assert any("future" in warning for warning in outcome.report.warnings)


def test_rows_that_are_alike_to_the_byte_are_summed(files: Reader) -> None:
    outcome = files.read(content(*[GOOD] * 3))

    assert list(outcome.sums.values()) == [tuple(3 * number for number in SUMS)]
    assert outcome.parsed.rows_merged == 2


@pytest.mark.parametrize("name", ["Total", "Total: Account", "total", "Search total", "Total of 285 results"])
def test_a_campaign_that_is_called_total_is_loaded(name: str, files: Reader) -> None:
    header = ("Campaign", "Ad group", *HEADER)
    rows = [("Rain", "Boots", *GOOD), (name, name, *with_cell("ad_group_id", "8"))]
    outcome = files.read(content(*rows, header=header))

    assert list(outcome.sums.values()) == [SUMS, SUMS]
    assert outcome.report.rows_total == 0


def test_a_row_of_a_campaign_without_ad_groups_is_refused_and_no_total(files: Reader) -> None:
    header = ("Campaign", "Campaign ID", "Campaign type", *HEADER)
    rows = [
        ("Rain", "436534626", "Search", *GOOD),
        ("All", "436534627", "Performance Max", *with_cell("ad_group_id", " --")),
        ("Also", "436534627", "Performance Max", *with_cell("ad_group_id", "")),
    ]
    outcome = files.read(content(*rows, header=header))

    assert list(outcome.sums.values()) == [SUMS]
    assert [(each.line, each.column) for each in outcome.refused] == [(3, "ad_group_id"), (4, "ad_group_id")]
    assert outcome.report.rows_total == 0


def test_two_currencies_in_one_file_are_refused_with_both(files: Reader) -> None:
    header = (*HEADER, "Currency code")
    with pytest.raises(UnreadableFileError, match=r"(?s)USD.*EUR|EUR.*USD"):
        files.read(content((*GOOD, "USD"), (*with_cell("ad_group_id", "8"), "EUR"), header=header))


def test_a_sign_that_contradicts_the_column_of_currencies_is_refused_with_both(files: Reader) -> None:
    header = (*HEADER, "Currency code")
    with pytest.raises(UnreadableFileError, match=r"(?s)BRL.*EUR|EUR.*BRL"):
        files.read(content((*with_cell("cost", "R$ 5,50"), "EUR"), header=header))


def test_a_total_that_differs_is_a_warning_and_no_refusal(files: Reader) -> None:
    good = google.interface()
    wrong = good.content.replace(b"1,447,074", b"1,447,174")
    assert wrong != good.content
    outcome = files.read(wrong)

    assert outcome.sums == good.sums
    (differs,) = [each for each in outcome.report.reconciliation if not each.agrees]
    assert (differs.metric, differs.rows, differs.total) == ("impressions", 1447074, 1447174)
    assert differs.line == wrong.count(b"\n")
    assert any("impressions" in warning for warning in outcome.report.warnings)


def test_a_total_in_micros_beside_rows_in_units_is_named_as_what_it_is(files: Reader) -> None:
    export = google.adwords(mixed_up=True)
    outcome = files.read(export.content)

    assert outcome.sums == export.sums
    assert [each.metric for each in outcome.report.reconciliation if not each.agrees] == ["cost"]
    assert any("micros" in warning for warning in outcome.report.warnings)


def test_a_total_may_be_off_by_half_a_cent_a_row(files: Reader) -> None:
    good = google.interface()
    outcome = files.read(good.content.replace(b"106213.14", b"106213.17"))
    assert all(each.agrees for each in outcome.report.reconciliation)

    outcome = files.read(good.content.replace(b"106213.14", b"106213.20"))
    assert [each.metric for each in outcome.report.reconciliation if not each.agrees] == ["cost"]


def test_an_export_in_which_nothing_happened_is_refused_as_empty(files: Reader) -> None:
    header = other.meta(grand_total=False).content.split(b"\n")[0]
    with pytest.raises(UnreadableFileError, match="no rows"):
        files.read(header + b"\nNo data available.\n")


def test_a_file_that_only_has_totals_has_no_rows(files: Reader) -> None:
    lines = google.interface().content.decode().splitlines()
    with pytest.raises(UnreadableFileError, match="no rows"):
        files.read("\n".join([*lines[:3], lines[-1]]).encode())


def test_the_words_of_a_question_name_what_can_be_answered(files: Reader) -> None:
    for file in (content(with_cell("date", "05/06/2025")), content(with_cell("cost", "1,234"))):
        with pytest.raises(UnreadableFileError, match=re.escape("?")) as asked:
            files.read(file)
        assert re.search(r"\?(date_order|locale)=\w+", str(asked.value))
