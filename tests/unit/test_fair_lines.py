"""Lines that are written well in the file's own way are read at once, to the same values as cell by cell."""

from itertools import product

import pytest

from services.ingest.api.reading.fair import Fair
from services.ingest.api.reading.judging import Judging
from tests.support import google_exports as google
from tests.support.reading import Outcome, Reader

HEADER = ("date", "ad_group_id", "device", "impressions", "clicks", "conversions", "cost")
TELLING = {"ymd": "2025-05-13", "dmy": "13/05/2025", "mdy": "05/13/2025"}
DAYS = ("28", "29", "30", "31", "1")
NUMBERS = (
    *("0", "7", "12.5", "1,234", "1,234,567.891234", "1.234567", "1.2345678", "1.", ".5", "1,23", "0,123", "12,345"),
    *("999999999", "1,000,000,000", "1000000000.1", "1e3", "1 234", "1,234 ", "x", "", "--", "-1", "1,234.5,6"),
)


def file_of(rows: list[tuple[str, ...]], delimiter: str) -> bytes:
    """Return a file in which a cell that holds the delimiter is not quoted, so that the row has a cell too many."""
    return "".join(delimiter.join(row) + "\n" for row in (HEADER, *rows)).encode()


def both_ways(
    files: Reader, content: bytes, monkeypatch: pytest.MonkeyPatch, **answers: str
) -> tuple[Outcome, Outcome]:
    """Read a file as it is read, and so that every odd line of it is judged."""
    fair = files.read(content, **answers)
    with monkeypatch.context() as patch:
        patch.setattr(Fair, "may_be_there", property(lambda _: False))
        return fair, files.read(content, **answers)


def assert_alike(fair: Outcome, judged: Outcome) -> None:
    assert (fair.rows, fair.refused) == (judged.rows, judged.refused)
    assert fair.report == judged.report


def swapped(text: str) -> str:
    """Return a number with point and comma in each other's place."""
    return text.translate(str.maketrans(".,", ",."))


@pytest.mark.parametrize(("delimiter", "locale"), list(product("\t;,|", ("point", "comma"))))
def test_numbers_are_what_they_are_cell_by_cell(
    delimiter: str, locale: str, files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [swapped(text) if locale == "comma" else text for text in NUMBERS]
    rows = [
        ("2025-05-13", str(number), "Mobile", *cells)
        for number, cells in enumerate(
            [tuple(text if at == place else "1" for at in range(4)) for text in texts for place in range(4)]
        )
    ]
    fair, judged = both_ways(files, file_of(rows, delimiter), monkeypatch, locale=locale)

    assert_alike(fair, judged)
    assert min(len(fair.rows), len(fair.refused)) > 10


@pytest.mark.parametrize(("order", "mark"), list(product(TELLING, "-/.")))
def test_days_are_what_they_are_cell_by_cell(
    order: str, mark: str, files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = [TELLING[order].replace("-", mark).replace("/", mark)] * 500
    for year, month, day in product(("2024", "2025", "1999", "2100"), ("2", "02", "04", "12", "13"), DAYS):
        for shown in (day, day.zfill(2)):
            dates.append(mark.join({"y": year, "m": month, "d": shown}[part] for part in order))
    rows = [(each, str(number), "Mobile", "1,000", "1", "1", "1") for number, each in enumerate(dates)]
    fair, judged = both_ways(files, file_of(rows, ";"), monkeypatch, date_order=order, locale="point")

    assert_alike(fair, judged)
    assert len(fair.rows) > 570
    assert len(fair.refused) > 50


@pytest.mark.parametrize("cost", ["R$ {}", "R$\N{NO-BREAK SPACE}{}", "{} R$", "BRL {}", "R${}", "R$ {} BRL", "{}"])
def test_amounts_with_their_currency_are_what_they_are_cell_by_cell(
    cost: str, files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = ("1.012,50", "0,00", "12,3456789", "7", "x", "1,2,3", "-5,00")
    rows = [
        ("2025-05-13", str(at), "Mobile", "1.000", "1", "0,5", cost.format(text)) for at, text in enumerate(numbers)
    ]

    assert_alike(*both_ways(files, file_of(rows, ";"), monkeypatch))


@pytest.mark.parametrize("export", [google.interface(), google.spreadsheet(), google.portuguese(wide=True)])
def test_exports_are_read_as_cell_by_cell(
    export: google.Export, files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    fair, judged = both_ways(files, export.content, monkeypatch)

    assert_alike(fair, judged)
    assert fair.sums == export.sums


def test_lines_that_are_written_well_are_not_judged(files: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Judging, "judged", lambda _: pytest.fail("a line was judged"))
    row = ("31.12.2025", "7", "Mobile phones", "1.234.567", "12", "0,5", "€ 1.012,50")
    outcome = files.read(file_of([row], ";"))

    assert outcome.sums == {(7, "2025-12-31", 1): (1_234_567, 12, 500_000, 1_012_500_000)}


def test_a_digit_group_never_reaches_into_the_next_cell(files: Reader) -> None:
    rows = [
        ("2025-05-13", "7", "MOBILE", "10", "1", "0", "1", "500"),
        ("2025-05-13", "8", "Tablet", "9", "1", "0", "5"),
    ]
    outcome = files.read(file_of(rows, ","))

    assert [each.line for each in outcome.refused] == [2]
    assert list(outcome.sums) == [(8, "2025-05-13", 3)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("gap", ["", "{end}", "{end}x{end}"])
def test_a_wholly_plain_file_is_read_as_one_that_is_not(end: str, gap: str, files: Reader) -> None:
    costs = ("0.000001", "0.1", "999999999.999999", "9223372.036855", "12", "1000000000")
    lines = [f"extra {at},2025-02-28,{cost},{'9' * 18},tablet,{'9' * 15},0,{cost}" for at, cost in enumerate(costs)]
    header = "note,date,cost,ad_group_id,device,impressions,clicks,conversions"
    text = end.join([header, "{}", *lines[:-1]]).replace(f"{{}}{end}", gap.replace("{end}", end))
    (outcome, mixed) = (files.read(f"{text}{end}{more}".encode()) for more in ("", lines[-1]))
    micros = sum((1, 100_000, 999_999_999_999_999, 9_223_372_036_855, 12_000_000))

    key = (int("9" * 18), "2025-02-28", 3)
    assert outcome.sums == {key: (5 * int("9" * 15), 0, micros, micros)}
    assert mixed.sums == {key: (6 * int("9" * 15), 0, micros + 10**15, micros + 10**15)}
    assert [each.text for each in outcome.refused] == (["x"] if "x" in gap else [])
