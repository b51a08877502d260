"""Dates as people and platforms write them: read right, refused, or asked about."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support.cells import content, refused_columns, value, with_cell
from tests.support.reading import Reader


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


def test_days_that_are_yet_to_come_are_loaded_with_a_warning(files: Reader) -> None:
    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    outcome = files.read(content(with_cell("date", day)))

    assert value(outcome, "date") == [day]
    assert any("future" in warning for warning in outcome.report.warnings)
