"""Rows that are odd as a whole: totals, campaigns without ad groups, currencies."""

import re
from decimal import Decimal

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support import google_exports as google
from tests.support import other_exports as other
from tests.support.cells import GOOD, HEADER, SUMS, content, with_cell
from tests.support.reading import Reader


def test_more_clicks_than_impressions_are_loaded_with_a_warning(files: Reader) -> None:
    outcome = files.read(content(with_cell("clicks", "501")))

    assert list(outcome.sums.values()) == [(500, 501, *SUMS[2:])]
    assert any("clicks" in warning and "impressions" in warning for warning in outcome.report.warnings)
    assert files.read(content(GOOD)).report.warnings == []


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
    with pytest.raises(UnreadableFileError, match=r"EUR and R\$"):
        files.read(content((*with_cell("cost", "R$ 5,50"), "EUR"), header=header))


def test_a_total_that_differs_is_a_warning_and_no_refusal(files: Reader) -> None:
    good = google.interface()
    wrong = good.content.replace(b"1,447,074", b"1,447,174")
    assert wrong != good.content
    outcome = files.read(wrong)

    assert outcome.sums == good.sums
    (differs,) = [each for each in outcome.report.reconciliation if not each.agrees]
    assert differs.metric == "impressions"
    assert (differs.rows, differs.total) == (Decimal(1447074), Decimal(1447174))
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
