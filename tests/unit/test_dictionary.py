"""Each name that a platform gives a column or a device, in a file of its own."""

from collections.abc import Mapping

import pytest

from services.ingest.api.reading.parsing import UnreadableFileError
from tests.support.exports import DEVICES
from tests.support.reading import Reader

STATS = {
    "date": "2025-05-13",
    "ad_group_id": "402718365914",
    "device": "MOBILE",
    "impressions": "500",
    "clicks": "25",
    "conversions": "2.5",
    "cost": "454.06",
}
AD_GROUPS = {"ad_group_id": "402718365914", "ad_group_name": "Boots", "campaign_id": "436534626"}
CAMPAIGNS = {"campaign_id": "436534626", "campaign_name": "Rain", "campaign_type": "SEARCH"}
KEY = (402718365914, "2025-05-13", 1)

STATS_NAMES = {
    "date": (
        *("Day", "Dia", "segments.date", "TimePeriod", "GregorianDate", "Start Date (in UTC)"),
        *("Data de início (em UTC)", "By Day", "일별", "Date", "date_day", "stat_time_hour", "DATE", " day "),
    ),
    "ad_group_id": (
        "Ad group ID",
        "ad_group.id",
        "AdGroupId",
        "Ad set ID",
        "광고 그룹 ID",
        "ad-group-id",
        "AD GROUP ID",
    ),
    "device": ("Device", "Dispositivo", "segments.device", "DeviceType", "Impression device", "device_type"),
    "impressions": ("Impr.", "Impressions", "Impressões", "metrics.impressions", "노출수", "impressions"),
    "clicks": (
        *("Clicks", "Cliques", "metrics.clicks", "Clicks (all)", "Link clicks", "Clicks (destination)"),
        *("클릭수(목적지)", "inline_link_clicks", "taps"),
    ),
    "conversions": (
        *("Conversions", "Conv.", "Conversões", "metrics.conversions", "Results", "Purchases", "전환수"),
        "14 Day Total Orders (#)",
    ),
    "cost": ("Cost", "Custo", "Spend", "Amount spent (IDR)", "Total Spent", "Total investido", "비용", "spend"),
}
AD_GROUPS_NAMES = {
    "ad_group_name": ("Ad group", "Grupo de anúncios", "ad_group.name", "AdGroupName", "Ad set name", "광고 그룹 이름"),
    "campaign_id": ("Campaign ID", "campaign.id", "CampaignId", "캠페인 ID", "ID da campanha"),
}
CAMPAIGNS_NAMES = {
    "campaign_name": ("Campaign", "Campanha", "campaign.name", "CampaignName", "Campaign name", "캠페인 이름"),
    "campaign_type": (
        *("Campaign type", "Tipo de campanha", "campaign.advertising_channel_type", "CampaignType"),
        *("Objective", "advertising_channel_type"),
    ),
}
DEVICE_NAMES = {
    "DESKTOP": ("Computers", "Computer", "Desktop", "Computadores", "PC"),
    "MOBILE": ("Mobile phones", "Smartphone", "Smartphones", "Mobile devices with full browsers", "mobile"),
    "TABLET": ("Tablets", "Tablet", "Tablets with full browsers"),
    "CONNECTED_TV": ("TV screens", "Telas de TV", "CONNECTED_TV"),
    "OTHER": ("Other", "OTHER"),
    "UNKNOWN": ("Unknown", "UNSPECIFIED"),
}


def flat(names: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(ours, theirs) for ours, group in names.items() for theirs in group]


def one_row(cells: dict[str, str]) -> bytes:
    return ("\t".join(cells) + "\n" + "\t".join(cells.values()) + "\n").encode()


def renamed(cells: dict[str, str], ours: str, theirs: str) -> bytes:
    return one_row({theirs if name == ours else name: cell for name, cell in cells.items()})


@pytest.mark.parametrize(("ours", "theirs"), flat(STATS_NAMES))
def test_a_column_of_stats_is_known_by_each_of_its_names(ours: str, theirs: str, files: Reader) -> None:
    outcome = files.read(renamed(STATS, ours, theirs))

    assert outcome.sums == {KEY: (500, 25, 2_500_000, 454_060_000)}
    assert {each.column: each.header.strip() for each in outcome.report.columns}[ours] == theirs.strip()


@pytest.mark.parametrize("header", ["metrics.cost_micros", "cost_micros", "spend_in_micro_dollar"])
def test_a_column_of_micros_is_counted_in_millionths(header: str, files: Reader) -> None:
    outcome = files.read(renamed({**STATS, "cost": "454060001"}, "cost", header))

    assert outcome.sums == {KEY: (500, 25, 2_500_000, 454_060_001)}


@pytest.mark.parametrize(("ours", "theirs"), flat(AD_GROUPS_NAMES))
def test_a_column_of_ad_groups_is_known_by_each_of_its_names(ours: str, theirs: str, files: Reader) -> None:
    outcome = files.read(renamed(AD_GROUPS, ours, theirs))

    assert outcome.parsed.kind == "ad_groups"
    assert outcome.rows == [["402718365914", "Boots", "436534626"]]


@pytest.mark.parametrize(("ours", "theirs"), flat(CAMPAIGNS_NAMES))
def test_a_column_of_campaigns_is_known_by_each_of_its_names(ours: str, theirs: str, files: Reader) -> None:
    outcome = files.read(renamed(CAMPAIGNS, ours, theirs))

    assert outcome.parsed.kind == "campaigns"
    assert outcome.rows == [["436534626", "Rain", "SEARCH"]]


def test_what_linkedin_calls_a_campaign_is_an_ad_group(files: Reader) -> None:
    names = {
        "Campaign ID": "402718365914",
        "Campaign Name": "Boots",
        "Campaign Group ID": "436534626",
        "Campaign Group Name": "Rain",
    }
    for cells in (names, dict(reversed(names.items()))):
        outcome = files.read(one_row(cells))
        assert outcome.parsed.kind == "ad_groups"
        assert outcome.rows == [["402718365914", "Boots", "436534626"]]


@pytest.mark.parametrize(("device", "name"), flat(DEVICE_NAMES))
def test_a_device_is_known_by_each_of_its_names(device: str, name: str, files: Reader) -> None:
    for written in (name, name.upper(), f" {name} "):
        ((key, _),) = files.read(one_row({**STATS, "device": written})).sums.items()
        assert DEVICES[key[2]] == device


def test_a_device_that_nobody_knows_is_refused(files: Reader) -> None:
    (refused,) = files.read(one_row({**STATS, "device": "Toaster"})).refused

    assert (refused.line, refused.column, refused.value) == (2, "device", "Toaster")


def test_columns_that_are_not_ours_are_ignored_and_named(files: Reader) -> None:
    outcome = files.read(one_row({"Reach": "5", **STATS, "Freq, uency": "1,5", "": "x"}))

    assert outcome.sums == {KEY: (500, 25, 2_500_000, 454_060_000)}
    assert {"Reach", "Freq, uency"} <= set(outcome.report.ignored)


def test_two_columns_of_one_meaning_that_agree_are_one(files: Reader) -> None:
    content = one_row({**STATS, "metrics.cost_micros": "454060000", "Day": "2025-05-13"})

    assert files.read(content).sums == {KEY: (500, 25, 2_500_000, 454_060_000)}


@pytest.mark.parametrize(
    ("header", "cell", "rival"),
    [
        ("Spend", "454.07", "cost"),
        ("Day", "2025-05-14", "date"),
        ("Link clicks", "24", "clicks"),
        ("Ad set ID", "402718365915", "ad_group_id"),
        ("metrics.cost_micros", "454060001", "cost"),
    ],
)
def test_two_columns_of_one_meaning_that_disagree_are_refused_with_both_names(
    header: str, cell: str, rival: str, files: Reader
) -> None:
    with pytest.raises(UnreadableFileError) as refused:
        files.read(one_row({**STATS, header: cell}))

    assert repr(header) in str(refused.value)
    assert repr(rival) in str(refused.value)


@pytest.mark.parametrize(
    ("gone", "needed"), [("date", "date"), ("ad_group_id", "ad_group_id"), ("cost", "cost"), ("clicks", "clicks")]
)
def test_a_file_without_a_column_that_it_needs_is_told_which_to_add(gone: str, needed: str, files: Reader) -> None:
    cells = {**CAMPAIGNS, "ad_group_name": "Boots", **STATS}
    with pytest.raises(UnreadableFileError, match=needed):
        files.read(one_row({name: cell for name, cell in cells.items() if name != gone}), kind="ad_group_stats")
