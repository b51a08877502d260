"""Numbers as people and platforms write them: read right, refused, or asked about."""

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support.cells import GOOD, HEADER, SUMS, content, refused_columns, value, with_cell
from tests.support.reading import Reader


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


def test_numbers_that_are_written_two_ways_are_never_read_both_ways(files: Reader) -> None:
    file = content(with_cell("cost", "1.234,5"), with_cell("cost", "1,234.5", ad_group_id="8"))
    refused = refused_columns(files.ask(file))

    assert refused == ["cost"] or "locale" in refused


GOOGLE = ("Day", "Ad group ID", "Device", "Impr.", "Clicks", "Conv.", "Cost")
META = ("Day", "Ad set ID", "Impression device", "Impressions", "Link clicks", "Results", "Amount spent (EUR)")
MICROSOFT = ("TimePeriod", "AdGroupId", "DeviceType", "Impressions", "Clicks", "Conversions", "Spend")


@pytest.mark.parametrize(
    ("header", "cell"), [(GOOGLE, "--"), (GOOGLE, " --"), (GOOGLE, "—"), (META, ""), (MICROSOFT, ""), (MICROSOFT, "-")]
)
@pytest.mark.parametrize("column", ["clicks", "conversions"])
def test_where_a_platform_writes_nothing_for_zero_a_count_is_zero(
    column: str, header: tuple[str, ...], cell: str, files: Reader
) -> None:
    outcome = files.read(content(with_cell(column, cell), header=header))

    assert value(outcome, column) == [0]


@pytest.mark.parametrize("cell", ["", "--", "-", "—"])
@pytest.mark.parametrize("column", ["impressions", "clicks", "conversions", "cost"])
def test_where_nobody_writes_nothing_for_zero_nothing_is_refused(column: str, cell: str, files: Reader) -> None:
    (refused,) = files.read(content(GOOD, with_cell(column, cell))).refused

    assert (refused.line, refused.column) == (3, column)


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
