"""Records that could pass for something else: totals for rows, rows for totals, headers amid rows, micros for units."""

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support.cells import GOOD, HEADER, SUMS, content, value, with_cell
from tests.support.reading import Reader

NAMED = ("Campaign", "Campaign ID", *HEADER)
RAIN = ("Rain", "436534626")
ORDERED = ("date", "ad_group_id", "device", "clicks", "impressions", "conversions", "cost")
PERIOD = "Ad set ID,Impressions,Link clicks,Purchases,Amount spent (EUR)\n"


@pytest.mark.parametrize("name", ["Total", "Total: Account", "Search total", "Grand Total", "Summe", "合計"])
@pytest.mark.parametrize(
    ("column", "cell"),
    [("date", ""), ("date", "--"), ("ad_group_id", ""), ("ad_group_id", "--"), ("ad_group_id", "1.2E+11")],
)
def test_a_row_with_an_id_is_no_total_whatever_its_names_are(name: str, column: str, cell: str, files: Reader) -> None:
    rows = [(*RAIN, *GOOD), (name, "436534627", *with_cell(column, cell))]
    outcome = files.read(content(*rows, header=NAMED))

    assert [(each.line, each.column) for each in outcome.refused] == [(3, column)]
    assert outcome.report.rows_total == 0


@pytest.mark.parametrize("key", ["date", "ad_group_id"])
def test_a_row_that_calls_itself_a_total_where_its_key_should_stand_is_one(key: str, files: Reader) -> None:
    outcome = files.read(content((*RAIN, *GOOD), ("", "0", *with_cell(key, "Total", device="")), header=NAMED))

    assert (outcome.refused, outcome.report.rows_total) == ([], 1)


@pytest.mark.parametrize(("impressions", "totals"), [("500", 1), ("", 1), ("--", 1), ("MOBILE", 0)])
def test_a_row_without_keys_is_a_total_only_if_each_number_it_states_is_one(
    impressions: str, totals: int, files: Reader
) -> None:
    outcome = files.read(content(GOOD, ("", "", "1", impressions, *GOOD[4:])))

    assert (outcome.report.rows_total, len(outcome.refused)) == (totals, 1 - totals)


def test_a_broken_row_of_a_campaign_that_is_called_total_is_refused(files: Reader) -> None:
    header = "Campaign,Day,Ad group ID,Impr.,Clicks,Conversions,Cost"
    good, broken = "Rain,2025-05-13,7,500,25,2,454.06", "Total,2025-05-13,8,1,500,25,2,454.06"
    outcome = files.read(f"{header}\n{good}\n{broken}\nTotal,500,25,2,454.06\n".encode())

    assert [each.text for each in outcome.refused] == [broken]
    assert [row.line for row in outcome.report.total_rows] == [4]


@pytest.mark.parametrize("cell", ["a 1", "Nov 1", "Summer 2"])
def test_a_last_line_that_may_be_a_row_cut_off_is_refused(cell: str, files: Reader) -> None:
    for last in (cell, "\t".join([cell, *[""] * 6])):
        outcome = files.read(content(GOOD) + last.encode())
        assert [each.text for each in outcome.refused] == [last]


@pytest.mark.parametrize(
    "footer",
    ["Total of 285 results", "Rows: 285", "Number of rows 285", "Insgesamt: 1 Zeile", "全 285 件", "285 results"],
)
def test_a_sentence_with_a_number_below_the_rows_is_a_footer(footer: str, files: Reader) -> None:
    outcome = files.read(content(GOOD) + footer.encode())

    assert (outcome.refused, outcome.report.rows_total) == ([], 1)


@pytest.mark.parametrize("blank", ["\t" * 6, "  \t\t\t\t\t\t ", "   ", "\N{NO-BREAK SPACE}"])
def test_a_record_with_nothing_in_it_says_nothing_wherever_it_stands(blank: str, files: Reader) -> None:
    outcome = files.read(f"{blank}\n".encode().join([content(GOOD), "\t".join(GOOD).encode() + b"\n", b""]))

    assert (outcome.refused, outcome.parsed.rows_merged) == ([], 1)
    assert (outcome.report.rows_total, outcome.report.reconciliation) == (2, [])


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_files_that_were_joined_are_read_where_their_headers_are_alike(mark: str, files: Reader) -> None:
    outcome = files.read(f"{mark}{content(GOOD).decode()}".encode() * 2)

    assert outcome.sums == {(7, "2025-05-13", 1): tuple(2 * number for number in SUMS)}
    assert (outcome.refused, outcome.report.rows_total, outcome.report.reconciliation) == ([], 1, [])


@pytest.mark.parametrize(
    "header", [ORDERED, ("Day", *HEADER[1:-1], "Spend", "Campaign"), HEADER[:-2], ("Report", *HEADER)]
)
def test_files_that_were_joined_are_refused_where_their_headers_differ(header: tuple[str, ...], files: Reader) -> None:
    with pytest.raises(UnreadableFileError, match=r"^Line 3 is another header row.*joined; send each by itself\.$"):
        files.read(content(GOOD, header, GOOD))


def test_words_that_are_names_of_columns_make_no_row_a_header(files: Reader) -> None:
    names = ("Campaign", "Ad group", "Campaign type", *HEADER)
    outcome = files.read(content((*names[:3], *GOOD), (*names[:3], *with_cell("ad_group_id", "x")), header=names))

    assert [(each.line, each.column) for each in outcome.refused] == [(3, "ad_group_id")]


@pytest.mark.parametrize("name", ["Reporting starts", "Reporting ends", "date_start", "date_stop", "End Date (in UTC)"])
def test_one_edge_of_a_period_is_no_day(name: str, files: Reader) -> None:
    with pytest.raises(UnreadableFileError, match="It has no day column"):
        files.read(f"{name},{PERIOD}2025-05-31,7,500,25,2,454.06\n".encode())


def test_a_period_of_more_than_a_day_is_told_to_add_the_day_and_not_to_remove_a_column(files: Reader) -> None:
    file = f"Reporting starts,Reporting ends,{PERIOD}2025-05-01,2025-05-31,7,500,25,2,454.06\n"
    with pytest.raises(UnreadableFileError, match="Add the day to the export") as refused:
        files.read(file.encode())
    assert "Remove" not in str(refused.value)


@pytest.mark.parametrize("mark", ["\ufeff", "\u200b", "\u200e"])
def test_what_nobody_can_see_around_a_value_does_not_matter(mark: str, files: Reader) -> None:
    rows = [(*(f"{mark}{cell}" for cell in GOOD),), (*(f"{cell}{mark}" for cell in GOOD),)]

    assert files.read(content(*rows)).sums == {(7, "2025-05-13", 1): tuple(2 * number for number in SUMS)}


@pytest.mark.parametrize(
    "name", ["spend_micros", "Spend (micros)", "cost_in_micros", "metrics.costMicros", "costMicros"]
)
def test_any_name_of_a_cost_may_say_that_it_is_in_micros(name: str, files: Reader) -> None:
    for cell in ("454060000", "454060000.0"):
        outcome = files.read(content(with_cell("cost", cell), header=(*HEADER[:-1], name)))
        assert value(outcome, "cost") == [454_060_000]
        assert outcome.report.warnings == []


@pytest.mark.parametrize("cell", ["12.0", "12.00", "12"])
def test_a_count_may_be_written_as_a_whole_decimal_number(cell: str, files: Reader) -> None:
    assert value(files.read(content(with_cell("clicks", cell))), "clicks") == [12]


def test_costs_that_can_only_be_micros_are_loaded_as_they_are_called_with_a_warning(files: Reader) -> None:
    rows = [with_cell("cost", cell, date=f"2025-05-1{day}") for day, cell in enumerate(("2500000", "1250000"))]
    outcome = files.read(content(*rows))

    assert value(outcome, "cost") == [2_500_000_000_000, 1_250_000_000_000]
    assert [warning for warning in outcome.report.warnings if "cost_micros" in warning] == outcome.report.warnings != []


@pytest.mark.parametrize(
    ("costs", "header"),
    [
        (("1240000", "1250000.5"), HEADER),
        (("1240000", "600"), HEADER),
        (("1250000", "1250000"), (*HEADER[:-1], "Cost (IDR)")),
        (("0", "0"), HEADER),
    ],
)
def test_costs_that_may_well_be_in_units_are_no_reason_for_a_warning(
    costs: tuple[str, ...], header: tuple[str, ...], files: Reader
) -> None:
    rows = [with_cell("cost", cell, date=f"2025-05-1{day}") for day, cell in enumerate(costs)]

    assert files.read(content(*rows, header=header)).report.warnings == []
