from pathlib import Path

import pytest

from services.ingest.api.reading.dictionary import Dictionary, fold, none_marks
from services.ingest.api.reading.names_page import page
from services.ingest.api.reading.sources import OURS, SOURCES, Column, Source

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"


def test_the_page_of_column_names_is_written_from_the_dictionary() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m services.ingest.api.reading.names_page"


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.title)
def test_every_name_of_a_source_means_its_column_in_a_header_of_that_source(source: Source) -> None:
    header = [name for names in source.names.values() for name in names]
    dictionary = Dictionary(header)

    for column, names in source.names.items():
        found = [dictionary.meaning(name) for name in names]
        assert [meaning and meaning.column for meaning in found] == [column] * len(names)


def test_every_column_has_our_own_name() -> None:
    assert {fold(name) for names in OURS.names.values() for name in names} == {fold(column) for column in Column}


def test_only_beside_campaign_groups_is_a_campaign_an_ad_group() -> None:
    alone = Dictionary(["Campaign ID", "Campaign Name"]).meaning("Campaign ID")
    beside = Dictionary(["Campaign ID", "Campaign Group ID"]).meaning("Campaign ID")

    assert (alone and alone.column, beside and beside.column) == (Column.CAMPAIGN_ID, Column.AD_GROUP_ID)


@pytest.mark.parametrize(
    ("names", "marks"),
    [
        (["date", "ad_group_id", "impressions", "clicks", "conversions", "cost"], ()),
        (["Day", "Ad group ID", "Impr.", "Clicks", "Conversions", "Cost"], ("--", "\N{EM DASH}")),
        (["Day", "Ad set ID", "Impressions", "Link clicks", "Results", "Amount spent (EUR)"], ("",)),
    ],
)
def test_what_stands_for_none_depends_on_whose_names_the_header_has(names: list[str], marks: tuple[str, ...]) -> None:
    assert none_marks(names) == marks
