"""Whole exports of each platform, made up from how they really look, and what must be read from them."""

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support import google_exports as google
from tests.support import microsoft_exports as microsoft
from tests.support import other_exports as other
from tests.support.exports import Export
from tests.support.reading import Outcome, Reader, encoding

LOADED: dict[str, Export] = {
    "Google Ads": google.interface(),
    "Google Ads, zeros missing": google.interface(missing=True),
    "Google Ads, for spreadsheets": google.spreadsheet(),
    "Google Ads, by device": google.segmented(),
    "Google Ads, Brazil": google.portuguese(),
    "Google Ads, Brazil, for spreadsheets": google.portuguese(wide=True),
    "Google Ads, cards with ids": google.cards(ids=True),
    "Google Ads, cards, Brazil": google.portuguese_cards(),
    "Google Ads, report editor": google.report_editor(),
    "Google Ads, API": google.api(),
    "AdWords, API": google.adwords(),
    "Microsoft, API": microsoft.report(),
    "Microsoft, by hour": microsoft.gregorian(),
    "Microsoft, grid": microsoft.grid_by_day(),
    "Meta": other.meta(),
    "Meta, no total": other.meta(grand_total=False),
    "Meta, reporting starts": other.meta(header="Reporting starts"),
    "LinkedIn": other.linkedin(),
    "LinkedIn, no blank line": other.linkedin(blank=False),
    "LinkedIn, Brazil": other.linkedin_portuguese(),
    "TikTok": other.tiktok(),
    "TikTok, Korea": other.tiktok(other.TIKTOK_KOREAN, "총 285개 결과"),
    "Amazon with ids": other.amazon(ids=True),
    "warehouse": other.warehouse(),
    "warehouse, by hour": other.hourly(),
}


@pytest.fixture(scope="module", params=LOADED.values(), ids=LOADED)
def read(request: pytest.FixtureRequest, files: Reader) -> tuple[Export, Outcome]:
    """An export, and what is read from it."""
    outcome = files.ask(request.param.content)
    assert isinstance(outcome, Outcome), outcome
    return request.param, outcome


def test_the_rows_of_an_export_are_loaded_and_nothing_else(read: tuple[Export, Outcome]) -> None:
    export, outcome = read

    assert outcome.refused == []
    assert outcome.sums == export.sums
    assert outcome.parsed.rows_read == len(export.rows) + export.rows_total
    assert outcome.parsed.rows_merged == len(export.rows) - len(export.sums)


def test_its_envelope_is_understood(read: tuple[Export, Outcome]) -> None:
    export, report = read[0], read[1].report

    assert encoding(report.encoding) == export.encoding
    assert report.delimiter == export.delimiter
    assert report.header_line == export.header_line
    assert [line for line in report.preamble if line] == list(export.preamble)
    assert report.locale == export.locale or export.locale is None
    assert report.date_order == export.date_order or export.date_order is None


def test_its_columns_are_known_by_the_names_they_have_there(read: tuple[Export, Outcome]) -> None:
    export, report = read[0], read[1].report
    found = {(each.column, each.header) for each in report.columns}

    assert export.columns.items() <= found
    for header in export.columns.values():
        assert header in report.header
        assert header not in report.ignored


def test_its_totals_are_kept_and_agree_with_the_rows(read: tuple[Export, Outcome]) -> None:
    export, report = read[0], read[1].report

    assert report.rows_total == export.rows_total
    assert 0 < len(report.total_rows) <= export.rows_total or export.rows_total == 0
    assert all(each.agrees for each in report.reconciliation)
    assert set(export.reconciled) <= {each.metric for each in report.reconciliation}
    assert report.warnings == []


def test_its_currency_is_found(read: tuple[Export, Outcome]) -> None:
    export, outcome = read

    assert outcome.report.currency == export.currency


NAMES_ONLY = {
    "Google Ads, cards": (google.cards(ids=False), "ad_group_id"),
    "Amazon": (other.amazon(ids=False), "ad_group_id"),
    "Microsoft, grid": (microsoft.grid(), "date"),
}


@pytest.mark.parametrize(("export", "missing"), NAMES_ONLY.values(), ids=NAMES_ONLY)
def test_an_export_without_what_makes_a_key_is_refused_with_the_column_to_add(
    export: Export, missing: str, files: Reader
) -> None:
    with pytest.raises(UnreadableFileError, match=missing):
        files.read(export.content)
