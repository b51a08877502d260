"""Exports as Google Ads and its API write them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from tests.support.exports import METRICS, ROWS, Export, Layout, Row, grouped, table

ENGLISH_DEVICES = {
    "DESKTOP": "Computers",
    "MOBILE": "Mobile phones",
    "TABLET": "Tablets",
    "CONNECTED_TV": "TV screens",
}
PORTUGUESE_DEVICES = {
    "DESKTOP": "Computadores",
    "MOBILE": "Smartphones",
    "TABLET": "Tablets",
    "CONNECTED_TV": "Telas de TV",
}
ENGLISH = Layout(
    headers={
        "campaign_name": "Campaign",
        "ad_group_name": "Ad group",
        "date": "Day",
        "campaign_id": "Campaign ID",
        "ad_group_id": "Ad group ID",
        "device": "Device",
        "impressions": "Impr.",
        "clicks": "Clicks",
        "conversions": "Conversions",
        "cost": "Cost",
    },
    extra={"CTR": "7.22%", "Currency code": "USD", "Search impr. share": "< 10%", "Search abs. top IS": "> 90%"},
    formats={"device": ENGLISH_DEVICES.__getitem__, "impressions": grouped, "clicks": grouped},
)
PORTUGUESE = Layout(
    headers={
        "campaign_name": "Campanha",
        "ad_group_name": "Grupo de anúncios",
        "date": "Dia",
        "campaign_id": "ID da campanha",
        "ad_group_id": "ID do grupo de anúncios",
        "device": "Dispositivo",
        "impressions": "Impressões",
        "clicks": "Cliques",
        "conversions": "Conversões",
        "cost": "Custo",
    },
    extra={"CTR": "3,45%", "Código da moeda": "BRL"},
    formats={
        "device": PORTUGUESE_DEVICES.__getitem__,
        "impressions": lambda number: grouped(number, ".", ","),
        "clicks": lambda number: grouped(number, ".", ","),
        "conversions": lambda number: grouped(number, ".", ","),
        "cost": lambda number: grouped(number, ".", ","),
    },
)
API = Layout(
    headers={
        "date": "segments.date",
        "campaign_id": "campaign.id",
        "campaign_name": "campaign.name",
        "campaign_type": "campaign.advertising_channel_type",
        "ad_group_id": "ad_group.id",
        "ad_group_name": "ad_group.name",
        "device": "segments.device",
        "impressions": "metrics.impressions",
        "clicks": "metrics.clicks",
        "conversions": "metrics.conversions",
        "cost": "metrics.cost_micros",
    },
    extra={"customer.currency_code": "EUR"},
    formats={"cost": lambda units: str(int(units * 10**6))},
)
ADWORDS = Layout(
    headers={
        "date": "Day",
        "campaign_id": "Campaign ID",
        "ad_group_id": "Ad group ID",
        "device": "Device",
        "impressions": "Impressions",
        "clicks": "Clicks",
        "conversions": "Conversions",
        "cost": "Cost",
    },
    formats={
        "device": {
            "DESKTOP": "Computers",
            "MOBILE": "Mobile devices with full browsers",
            "TABLET": "Tablets with full browsers",
            "CONNECTED_TV": "TV screens",
        }.__getitem__
    },
)
RANGE = '"May 1, 2025 - May 31, 2025"'
FOUR_TOTALS = ("Total: Campaigns", "Total: Account", "Total: Search", "Total: Display")


def interface(*, rows: tuple[Row, ...] = ROWS, missing: bool = False) -> Export:
    """Return the CSV file of Google Ads' web pages; with `missing`, counts of zero are written as missing."""
    layout = ENGLISH
    records = layout.records(rows)
    if missing:
        records = [[" --" if cell == "0" else cell for cell in record] for record in records]
    records.append(layout.summary(rows, METRICS, " --", campaign_name="Total: Account"))
    return Export(
        content=("Ad group performance\n" + RANGE + "\n" + table(records)).encode(),
        rows=rows,
        columns=layout.reading(),
        header_line=3,
        preamble=["Ad group performance", RANGE],
        rows_total=1,
        reconciled=METRICS,
        currency="USD",
        locale="point",
    )


def spreadsheet() -> Export:
    """Return the "Excel .csv" of Google Ads' web pages: UTF-16 with tabs; a header stands in it twice."""
    records = [[*record, "Currency code" if number == 0 else "USD"] for number, record in enumerate(ENGLISH.records())]
    records.append([*ENGLISH.summary(ROWS, METRICS, " --", campaign_name="Total: Account"), " --"])
    text = "Ad group performance\nAll time\n" + table(records, delimiter="\t")
    return replace(
        interface(),
        content=b"\xff\xfe" + text.encode("utf-16-le"),
        encoding="utf-16-le",
        delimiter="\t",
        preamble=["Ad group performance", "All time"],
    )


def segmented() -> Export:
    """Return the CSV file of Google Ads' web pages by device: each total once a device, its label not in column 1."""
    totals = [
        ENGLISH.summary(rows, METRICS, " --", ad_group_name=label, device=ENGLISH_DEVICES[device])
        for label in FOUR_TOTALS
        for device, rows in by_device()
    ]
    # The label in column 3: a column stands before the others that is empty in totals.
    records = [["Ad group state", *ENGLISH.header], *(["Enabled", *record] for record in ENGLISH.records()[1:])]
    records += [["", *record] for record in totals]
    return replace(
        interface(),
        content=("Ad group performance\nAll time\n" + table(records)).encode(),
        preamble=["Ad group performance", "All time"],
        rows_total=len(totals),
        reconciled=(),
    )


def by_device() -> Iterator[tuple[str, list[Row]]]:
    """Yield each device with its rows."""

    def device(each: Row) -> str:
        return each.device

    for name, rows in groupby(sorted(ROWS, key=device), device):
        yield name, list(rows)


def portuguese(*, wide: bool = False) -> Export:
    """Return the Brazilian file of Google Ads' web pages; `wide`, as UTF-16 with tabs."""
    labels = ("Total: Campanhas filtradas", "Total: Conta")
    records = [
        *PORTUGUESE.records(),
        *(PORTUGUESE.summary(ROWS, METRICS, " --", campaign_name=label) for label in labels),
    ]
    preamble = ["Desempenho dos grupos de anúncios", "1 de maio de 2025 - 31 de maio de 2025"]
    text = "\n".join(preamble) + "\n" + table(records, delimiter="\t" if wide else ",")
    return Export(
        content=b"\xff\xfe" + text.encode("utf-16-le") if wide else text.encode(),
        columns=PORTUGUESE.reading(),
        encoding="utf-16-le" if wide else "utf-8",
        delimiter="\t" if wide else ",",
        header_line=3,
        preamble=preamble,
        rows_total=2,
        reconciled=METRICS,
        currency="BRL",
        locale="comma",
    )


def cards(*, ids: bool) -> Export:
    """Return the file behind the cards of Google Ads' overview: money with its sign, an em dash for what is missing."""
    headers = {"date": "Day", "ad_group_name": "Ad group", **({"ad_group_id": "Ad group ID"} if ids else {})}
    layout = Layout(
        headers={**headers, "impressions": "Impressions", "clicks": "Clicks", "conversions": "Conv.", "cost": "Cost"},
        formats={
            "date": english_day,
            "impressions": lambda number: grouped(number) if number else "—",
            "clicks": lambda number: grouped(number) if number else "—",
            "conversions": lambda number: str(number) if number else "—",
            "cost": lambda units: f"US${grouped(units)}",
        },
    )
    return Export(content=table(layout.records()).encode(), columns=layout.reading(), currency="USD", locale="point")


def portuguese_cards() -> Export:
    """Return the same from Brazil."""
    layout = Layout(
        headers={**PORTUGUESE.headers},
        formats={
            **PORTUGUESE.formats,
            "date": portuguese_day,
            "cost": lambda units: f"R$\N{NO-BREAK SPACE}{grouped(units, '.', ',')}",
        },
    )
    return Export(content=table(layout.records()).encode(), columns=layout.reading(), currency="BRL", locale="comma")


def english_day(day: date) -> str:
    """Return a day as English cards write it: `Thu, 5 Feb 2026`."""
    return f"{['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][day.weekday()]}, {day.day} May {day.year}"


def portuguese_day(day: date) -> str:
    """Return a day as Brazilian cards write it: `ter., 5 de mai. de 2026`."""
    return f"{['seg', 'ter', 'qua', 'qui', 'sex', 'sáb', 'dom'][day.weekday()]}., {day.day} de mai. de {day.year}"


def report_editor() -> Export:
    """Return a file of Google Ads' report editor, which has no totals."""
    content = ("Untitled report\nAll time\n" + table(ENGLISH.records())).encode()
    return replace(interface(), content=content, preamble=["Untitled report", "All time"], rows_total=0, reconciled=())


def api() -> Export:
    """Return rows of the Google Ads API as its clients flatten them, money in micros."""
    return Export(content=table(API.records()).encode(), columns=API.reading(), currency="EUR")


def adwords(*, mixed_up: bool = False) -> Export:
    """Return a report of the AdWords API: a quoted title, a total at the end; `mixed_up`: the total in micros."""
    summary = ADWORDS.summary(ROWS, METRICS, " --", date="Total")
    if mixed_up:
        summary[-1] = str(int(Decimal(summary[-1]) * 10**6))
    title = '"Ad group performance (May 1, 2025-May 31, 2025)"'
    return Export(
        content=(title + "\n" + table([*ADWORDS.records(), summary])).encode("ascii"),
        columns=ADWORDS.reading(),
        header_line=2,
        preamble=[title],
        rows_total=1,
        reconciled=METRICS,
    )
