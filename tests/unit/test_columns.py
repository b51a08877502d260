from pathlib import Path

import pytest

from services.ingest.api.reading.columns import SHAPES, Column, HeaderError, fold, recognise
from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.parsing import Parser, UnreadableFileError
from shared.messages import Kind

STATS = ("date", "ad_group_id", "device", "impressions", "clicks", "conversions", "cost")
AD_GROUPS = ("ad_group_id", "ad_group_name", "campaign_id")
CAMPAIGNS = ("campaign_id", "campaign_name", "campaign_type")


def parse(folder: Path, content: bytes) -> Parsed:
    (folder / "source").write_bytes(content)
    parser = Parser(folder)
    try:
        return parser.parse(folder / "source", folder)
    finally:
        parser.close()


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (STATS, Kind.AD_GROUP_STATS),
        (AD_GROUPS, Kind.AD_GROUPS),
        (CAMPAIGNS, Kind.CAMPAIGNS),
        (CAMPAIGNS[:2], Kind.CAMPAIGNS),
        (STATS[:2] + STATS[3:], Kind.AD_GROUP_STATS),
    ],
)
def test_a_header_tells_what_the_file_describes(names: tuple[str, ...], kind: Kind) -> None:
    assert recognise(names).kind is kind
    assert recognise(names, kind).kind is kind


@pytest.mark.parametrize("kind", Kind)
def test_the_columns_that_must_be_there_suffice_in_any_order(kind: Kind) -> None:
    header = recognise([*reversed(SHAPES[kind].required)])

    assert header.kind is kind
    assert set(header.positions) == set(SHAPES[kind].required)


@pytest.mark.parametrize("kind", Kind)
def test_without_one_of_the_columns_that_must_be_there_a_header_is_not_recognised(kind: Kind) -> None:
    for missing in SHAPES[kind].required:
        with pytest.raises(HeaderError, match=missing):
            recognise([column for column in SHAPES[kind].columns if column is not missing], kind)


def test_the_most_specific_kind_wins() -> None:
    everything = (*CAMPAIGNS, "ad_group_name", *STATS)

    assert recognise(everything).kind is Kind.AD_GROUP_STATS
    assert recognise([*CAMPAIGNS, *AD_GROUPS[:2]]).kind is Kind.AD_GROUPS


def test_the_kind_that_is_asked_for_wins_over_the_one_that_would_be_recognised() -> None:
    everything = (*CAMPAIGNS, "ad_group_name", *STATS)

    assert recognise(everything, Kind.CAMPAIGNS).positions == {
        Column.CAMPAIGN_ID: 0,
        Column.CAMPAIGN_NAME: 1,
        Column.CAMPAIGN_TYPE: 2,
    }
    assert recognise(everything, Kind.AD_GROUPS).positions == {
        Column.AD_GROUP_ID: 5,
        Column.AD_GROUP_NAME: 3,
        Column.CAMPAIGN_ID: 0,
    }


@pytest.mark.parametrize(
    "name",
    ["Ad group ID", "AD_GROUP_ID", "  ad-group-id ", "AdGroupId", "ad.group.id", "ad_group.id", "Ad\tGroup\xa0ID:"],
)
def test_names_are_compared_without_case_spaces_and_punctuation(name: str) -> None:
    header = recognise([name, "AD GROUP NAME", "Campaign.ID"])

    assert fold(name) == "adgroupid"
    assert header.kind is Kind.AD_GROUPS
    assert header.names[0] == name


@pytest.mark.parametrize("name", ["ad_groups_id", "ad_group", "adgroupid2", "id", "", "Ad group ID (new)"])
def test_names_that_only_look_alike_are_not_ours(name: str) -> None:
    with pytest.raises(HeaderError):
        recognise([name, "ad_group_name", "campaign_id"], Kind.AD_GROUPS)


def test_columns_stand_anywhere_among_others_we_do_not_know() -> None:
    header = recognise(["currency", "campaign_name", "", "notes", "campaign_id", ""])

    assert header.positions == {Column.CAMPAIGN_ID: 4, Column.CAMPAIGN_NAME: 1}


def test_two_columns_that_mean_the_same_may_stand_in_a_header_and_the_second_is_kept_for_comparison() -> None:
    header = recognise(("Cost", *STATS))

    assert header.places[Column.COST].name == "Cost"
    assert [(column, place.name) for column, place in header.twins] == [(Column.COST, "cost")]
    assert "cost" not in header.ignored


@pytest.mark.parametrize(("twin", "is_refused"), [("2.50", False), ("2.51", True), ("", True)])
def test_two_columns_that_mean_the_same_must_agree_in_every_row(tmp_path: Path, twin: str, *, is_refused: bool) -> None:
    rows = [("spend", *STATS), ("1", "2024-01-31", "7", "MOBILE", "1", "1", "1", "1.0")]
    rows += [("2.5", "2024-01-31", "8", "MOBILE", "1", "1", "1", f'"{twin}"')]
    content = "\n".join(map(",".join, rows)).encode()
    if not is_refused:
        assert parse(tmp_path, content).totals.cost == 3_500_000
        return
    with pytest.raises(UnreadableFileError) as refused:
        parse(tmp_path, content)

    assert str(refused.value).startswith(
        "The columns 'spend' and 'cost' both mean cost, and differ on line 3: 2.5 and "
    )


def test_two_columns_we_do_not_know_may_have_the_same_name() -> None:
    assert recognise([*CAMPAIGNS, "note", "note", "", ""]).kind is Kind.CAMPAIGNS


def test_a_header_we_do_not_know_is_told_what_it_has_and_what_each_kind_needs() -> None:
    with pytest.raises(HeaderError) as refused:
        recognise(["When", " What ", ""])

    assert str(refused.value) == (
        "The header row has the columns: When, What, (no name). "
        "ad_group_stats needs date, ad_group_id, impressions, clicks, conversions, cost; "
        "ad_groups needs ad_group_id, ad_group_name, campaign_id; "
        "campaigns needs campaign_id, campaign_name."
    )


def test_a_header_that_is_not_of_the_kind_asked_for_is_told_only_what_that_kind_needs() -> None:
    with pytest.raises(HeaderError) as refused:
        recognise(STATS, Kind.CAMPAIGNS)

    assert str(refused.value) == (
        f"The header row has the columns: {', '.join(STATS)}. campaigns needs campaign_id, campaign_name."
    )


def test_the_message_stays_short_however_long_the_header_is() -> None:
    with pytest.raises(HeaderError) as refused:
        recognise([f"{number}{'x' * 1000}" for number in range(1000)])

    assert len(str(refused.value)) < 2500


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_the_header_can_be_understood_with(tmp_path: Path, delimiter: str) -> None:
    rows = [("Campaign ID", "note", "campaign_name"), ("7", "x", "One"), ("8", "", "Two")]
    parsed = parse(tmp_path, "\n".join(map(delimiter.join, rows)).encode())

    assert parsed.kind is Kind.CAMPAIGNS
    assert parsed.rows.read_text() == "7\tOne\t\\N\n8\tTwo\t\\N\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_quoted_names_and_cells_may_hold_every_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = [('"Campaign ID"', '"note,;\t|"', '"campaign_name"'), ("7", '"x,;\t|y"', '"One,;|"')]
    parsed = parse(tmp_path, "\n".join(map(delimiter.join, rows)).encode())

    assert parsed.rows.read_text() == "7\tOne,;|\t\\N\n"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_an_unknown_header_is_shown_as_the_delimiter_that_splits_it_best_has_it(tmp_path: Path, delimiter: str) -> None:
    header = delimiter.join(["day", "spend, gross", "campaign"])

    with pytest.raises(UnreadableFileError, match=r"^The header row has the columns: day, spend, gross, campaign\. "):
        parse(tmp_path, header.encode())


def test_bytes_that_are_no_utf_8_are_asked_about_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"^Line 2 is not valid UTF-8.*\?encoding=windows-1252") as refused:
        parse(tmp_path, "campaign_id,campaign_name\n1,Días\n".encode("latin-1"))

    assert str(refused.value).encode()
