"""Files of stats as people send them, drawn at random, and what a strict reader has to be told to read them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.support.strict_reader import DEVICES, Told, number_fits, split

MARKS = {"utf-8": ("", "\ufeff"), "utf-16-le": ("\ufeff",), "utf-16-be": ("\ufeff",)}
"""Encodings, each with the marks that a file in it may begin with."""
LINE_ENDS = ("\n", "\r\n", "\r")
DELIMITERS = (",", "\t", ";", "|")
ORDERS = ("ymd", "dmy", "mdy")
METRICS = ("impressions", "clicks", "conversions", "cost")
NAMES = {
    "date": ("date", "Day", "segments.date", "TimePeriod"),
    "ad_group_id": ("ad_group_id", "Ad group ID", "AdGroupId", "Ad set ID"),
    "device": ("device", "Device", "segments.device"),
    "impressions": ("impressions", "Impr.", "metrics.impressions"),
    "clicks": ("clicks", "Clicks", "metrics.clicks"),
    "conversions": ("conversions", "Conv.", "metrics.conversions"),
    "cost": ("cost", "Cost", "Spend"),
}
EXTRAS = ("Campaign", "Reach", "Quality; score", 'He said "x"', "Avg, CPC")
TEXTS = ("", "Rain", "a,b;c|d", 'say "hi"', "two\nlines", '5" tablet', "été 東 😀", "x" * 3000, "'", "Total", "7,5 %")
PREAMBLES = ("Ad group report", '"May 1, 2025 - May 31, 2025"', "Rows: 7", "All time", "Konto: Ü", "", "a, b; c")
BAD = {
    "date": ("", "x", "2025-02-30", "1999-12-31", "2025"),
    "ad_group_id": ("x", "-5", "1.23E+17", "9223372036854775808", "1.5"),
    "device": ("Toaster", "??"),
    "impressions": ("x", "-1", "1e3", "99999999999999999999", "five"),
    "clicks": ("x", "-1", "0x1F", "99999999999999999999"),
    "conversions": ("x", "-1", "NaN", "1..2", "99999999999999"),
    "cost": ("x", "-1", "inf", "1,,2", "99999999999999", "1 x"),
}


@dataclass(frozen=True)
class Line:
    """A record: its text, and the text it should have had; `aside` if it is a total or a footer."""

    text: str
    right: str
    aside: bool = False


@dataclass(frozen=True)
class Messy:
    """A file that is not yet put into bytes."""

    encoding: str
    mark: str
    delimiter: str
    end: str
    comma: bool
    date_order: str
    preamble: Sequence[str]
    header: str
    columns: tuple[str, ...]
    lines: Sequence[Line]
    spoilt: bool = True

    def texts(self) -> Iterator[tuple[str, bool]]:
        """Yield the text of each record below the header, and whether it stands aside."""
        for line in self.lines:
            yield (line.text if self.spoilt else line.right), line.aside

    @property
    def content(self) -> bytes:
        """The file."""
        records = [*self.preamble, self.header, *(text for text, _ in self.texts())]
        return (self.mark + "\n".join([*records, ""]).replace("\n", self.end)).encode(self.encoding)

    @property
    def told(self) -> Told:
        """What the strict reader is told."""
        header_line = len(self.preamble) + 1
        aside = set()
        at = header_line + 1
        for text, stands_aside in self.texts():
            aside |= {at} if stands_aside else set()
            at += 1 + text.count("\n")
        return Told(
            self.encoding, self.delimiter, header_line, self.columns, self.comma, self.date_order, frozenset(aside)
        )

    @property
    def asks_for_dates(self) -> bool:
        """Whether its dates can be read in two orders, by what is right in it."""
        dates = [re.split("[-/.]", cell) for cell in self.cells("date") if not re.match(r"\d{4}", cell)]
        return all(int(first) <= 12 and int(second) <= 12 for first, second, _ in dates)

    @property
    def asks_for_numbers(self) -> bool:
        """Whether its numbers can be read with a decimal comma and with a decimal point, by what is right in it."""
        counts = [(cell, True) for name in METRICS[:2] for cell in self.cells(name)]
        amounts = [(re.sub("[^0-9.,eE+-]", "", cell), False) for name in METRICS[2:] for cell in self.cells(name)]
        cells = [(cell, whole) for cell, whole in (*counts, *amounts) if re.search("[0-9]", cell)]
        fits = [all(number_fits(cell, comma=comma, whole=whole) for cell, whole in cells) for comma in (False, True)]
        return all(fits)

    def cells(self, name: str) -> list[str]:
        """Return what stands in a column of ours where the row is as it should be: a bad row decides nothing."""
        at = self.columns.index(name)
        rows = [line.text for line in self.lines if line.text == line.right and not line.aside]
        return [next(split(text, self.delimiter)).cells[at].strip() for text in rows]


def messy(random: Random, *, spoilt: bool) -> Messy:
    """Return a file at random; with `spoilt`, some of its rows are bad."""
    encoding = random.choice(["utf-8", "utf-8", *MARKS])
    delimiter = random.choice(DELIMITERS)
    comma = random.random() < 0.3
    order = random.choice(ORDERS)
    headers = columns_at_random(random)
    columns = tuple(name if name in NAMES else "" for name, _ in headers)
    places = random.choice([0, 2, 3, 6])
    rows = [
        row_at_random(random, columns, comma=comma, order=order, places=places) for _ in range(random.randint(1, 10))
    ]
    lines = [line_of(random, row, columns, delimiter, spoil=spoilt and random.random() < 0.3) for row in rows]
    totals = totals_at_random(random, rows, columns, comma=comma)
    texts = [record(random, total, delimiter) for total in totals]
    return Messy(
        encoding=encoding,
        mark=random.choice(MARKS[encoding]),
        delimiter=delimiter,
        end=random.choice(LINE_ENDS),
        comma=comma,
        date_order=order,
        preamble=random.sample(PREAMBLES, random.choice([0, 0, 1, 2, 4])),
        header=record(random, [header for _, header in headers], delimiter),
        columns=columns,
        lines=[*lines, *(Line(text, text, aside=True) for text in texts)],
    )


def columns_at_random(random: Random) -> list[tuple[str, str]]:
    """Return the columns of a file in some order, each with our name, if it has one, and its own."""
    extras = random.sample(EXTRAS, random.randint(0, 3))
    known = [name for name in NAMES if name != "device" or random.random() < 0.7]
    found = [(name, random.choice(NAMES[name])) for name in known] + [(extra, extra) for extra in extras]
    random.shuffle(found)
    return found


def row_at_random(random: Random, columns: Sequence[str], *, comma: bool, order: str, places: int) -> list[str]:
    """Return the cells of a row of which nothing is wrong."""
    cells = {
        "date": date_text(random, order),
        "ad_group_id": random.choice(["1", "2", "123456789012345679", "98765432109876543", "9223372036854775807"]),
        "device": random.choice([*DEVICES, "mobile", " Tablet "]),
        "impressions": number_text(random, Decimal(random.choice([12, 345, 6789012])), comma=comma),
        "clicks": number_text(random, Decimal(random.choice([0, 7, 89, 1234])), comma=comma),
        "conversions": number_text(random, amount_at_random(random, places), comma=comma),
        "cost": number_text(random, amount_at_random(random, places), comma=comma),
    }
    return [cells.get(name) or random.choice(TEXTS) for name in columns]


def amount_at_random(random: Random, places: int) -> Decimal:
    """Return an amount with so many decimals."""
    return Decimal(random.choice([0, random.randint(0, 9999), random.randint(0, 10**9)])).scaleb(-places)


def date_text(random: Random, order: str) -> str:
    """Return a day of 2025 in the order that a file keeps to."""
    day = date(2025, 1, 1) + timedelta(random.randrange(300))
    if order == "ymd":
        return day.isoformat()
    first, second = (day.day, day.month) if order == "dmy" else (day.month, day.day)
    return f"{first:02}/{second:02}/{day.year}"


def number_text(random: Random, number: Decimal, *, comma: bool) -> str:
    """Return a number as it may stand in a file: thousands set apart or not, spaces around it."""
    text = f"{number:,f}" if random.random() < 0.3 else f"{number:f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    return random.choice([text, text, text, f" {text}", f"{text} "])


def line_of(random: Random, row: list[str], columns: Sequence[str], delimiter: str, *, spoil: bool) -> Line:
    """Return a row as a record; with `spoil`, one that cannot be loaded."""
    right = record(random, row, delimiter)
    if not spoil:
        return Line(right, right)
    # The beginning of a row that begins with "Total" might as well be a total.
    kind = random.choice(["cell", "cell", "cell", "many", "quote", *(["few"] if "Total" not in row else [])])
    if kind == "quote":
        return Line(f'"a"b{delimiter}{right}', right)
    if kind == "many":
        return Line(f"{right}{delimiter}x", right)
    if kind == "few":
        return Line(record(random, row[: random.randint(2, len(row) - 1)], delimiter), right)
    at = random.choice([position for position, name in enumerate(columns) if name in BAD])
    return Line(record(random, [*row[:at], random.choice(BAD[columns[at]]), *row[at + 1 :]], delimiter), right)


def record(random: Random, cells: Sequence[str], delimiter: str) -> str:
    """Return cells as a record, quoted where they must be and here and there where they need not."""
    return delimiter.join(
        '"' + cell.replace('"', '""') + '"'
        if any(sign in cell for sign in (delimiter, "\n", '"')) or random.random() < 0.2
        else cell
        for cell in cells
    )


def totals_at_random(
    random: Random, rows: Sequence[Sequence[str]], columns: Sequence[str], *, comma: bool
) -> list[list[str]]:
    """Return rows of totals, or none: their label stands in the first column that is no metric."""
    at = next(position for position, name in enumerate(columns) if name not in METRICS)
    labels = random.choice([[], [], ["Total: Account"], ["Total: Search", "Total: Account"], ["Total"]])
    blank = random.choice(["", " --", "--"])
    metric = number_text(random, Decimal(10**7 * len(rows)), comma=comma).strip()
    return [
        [label if position == at else metric if name in METRICS else blank for position, name in enumerate(columns)]
        for label in labels
    ]
