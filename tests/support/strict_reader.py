"""A reader of CSV in plain Python, slow and strict, that is told what ours has to find out.

Written from the documentation alone. It knows nothing of DuckDB and shares no code with the reader it judges.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

SPACE = " "
DEVICES = ("UNKNOWN", "MOBILE", "DESKTOP", "TABLET", "CONNECTED_TV", "OTHER")
MISSING = {"--"}
SIGNS = r"US\$|R\$|€|£"


class UnclosedQuoteError(ValueError):
    """A quoted field that never ends; the argument is the line of its record."""


@dataclass
class Record:
    """A record: the line it begins on, its cells, and its text; `sound` unless text follows a closing quote."""

    line: int
    cells: list[str] = field(default_factory=list)
    text: str = ""
    sound: bool = True


def split(text: str, delimiter: str) -> Iterator[Record]:
    """Yield the records of a text by RFC 4180; line ends are those of Unix, empty lines are passed over."""
    text = re.sub("\r\n|\r", "\n", text)
    position, line = 0, 1
    while position < len(text):
        if text[position] == "\n":
            position, line = position + 1, line + 1
            continue
        record, start = Record(line), position
        ended = False
        while not ended:
            position, ended = _field(text, position, delimiter, record)
        record.text = text[start:position].removesuffix("\n")
        line += text.count("\n", start, position)
        yield record


def _field(text: str, position: int, delimiter: str, record: Record) -> tuple[int, bool]:
    """Read a field into the record; return where the next begins, and whether the record has ended."""
    start = position
    while text.startswith(SPACE, position):
        position += 1
    cell = ""
    quoted = text.startswith('"', position)
    if quoted:
        cell, position = _quoted(text, position + 1, record)
    ended = re.compile(f"[{re.escape(delimiter)}\n]").search(text, position)
    end = ended.start() if ended else len(text)
    rest = text[position:end]
    if quoted and rest.strip(SPACE):
        record.sound = False
    record.cells.append(cell if quoted else text[start:end])
    return end + 1, end >= len(text) or text[end] == "\n"


def _quoted(text: str, position: int, record: Record) -> tuple[str, int]:
    """Return what stands between quotes, and the position behind the closing one."""
    parts = []
    while True:
        end = text.find('"', position)
        if end < 0:
            raise UnclosedQuoteError(record.line)
        parts.append(text[position:end])
        if not text.startswith('"', end + 1):
            return "".join(parts), end + 1
        parts.append('"')
        position = end + 2


@dataclass(frozen=True)
class Told:
    """What the strict reader is told of a file instead of finding it out."""

    encoding: str
    delimiter: str
    header_line: int
    columns: tuple[str, ...]
    """Of each column of the file our name, or an empty text."""
    comma: bool
    date_order: str
    aside: frozenset[int] = frozenset()
    """The lines of totals and footers."""


@dataclass
class Account:
    """What is in a file: the sums of each key, and of each refused line its text and the cells that are at fault."""

    sums: dict[tuple[int, str, int], tuple[int, int, int, int]] = field(default_factory=dict)
    refused: dict[int, tuple[str, dict[str, str]]] = field(default_factory=dict)
    accepted: int = 0
    aside: int = 0


def account(content: bytes, told: Told) -> Account:
    """Return what is in a file of stats."""
    found = Account()
    for record in split(content.decode(told.encoding).removeprefix("\ufeff"), told.delimiter):
        if record.line <= told.header_line:
            continue
        if record.line in told.aside:
            found.aside += 1
            continue
        cells = dict(zip(told.columns, (cell.strip() for cell in record.cells), strict=False))
        fits = record.sound and len(record.cells) >= len(told.columns) and not any(record.cells[len(told.columns) :])
        wrong = faults(cells, told) if fits else {}
        if wrong or not fits:
            found.refused[record.line] = record.text, wrong
            continue
        found.accepted += 1
        key = int(cells["ad_group_id"]), day(cells["date"], told.date_order), device(cells.get("device", "UNKNOWN"))
        values = [count(cells[name], told) for name in ("impressions", "clicks")]
        values += [micros(cells[name], told) for name in ("conversions", "cost")]
        impressions, clicks, conversions, cost = (
            a + b for a, b in zip(found.sums.get(key, (0, 0, 0, 0)), values, strict=True)
        )
        found.sums[key] = impressions, clicks, conversions, cost
    return found


def faults(cells: dict[str, str], told: Told) -> dict[str, str]:
    """Return the cells of a row that cannot be what they should."""
    readings: dict[str, Callable[[str], object]] = {
        "date": lambda cell: day(cell, told.date_order),
        "ad_group_id": whole_id,
        "device": device,
        "impressions": lambda cell: count(cell, told),
        "clicks": lambda cell: count(cell, told),
        "conversions": lambda cell: micros(cell, told),
        "cost": lambda cell: micros(cell, told),
    }
    return {name: cells[name] for name, read in readings.items() if name in cells and not _can(read, cells[name])}


def _can(read: Callable[[str], object], cell: str) -> bool:
    try:
        read(cell)
    except ValueError:
        return False
    return True


def day(cell: str, order: str) -> str:
    """Return a date as ISO 8601 has it; raises `ValueError` for none, and for one before 2000."""
    parts = re.fullmatch(r"(\d+)([-/.])(\d+)\2(\d+)", cell, re.ASCII)
    if parts is None or len(parts[1 if order == "ymd" else 4]) != 4:
        raise ValueError(cell)
    numbers = dict(zip(order, (int(parts[1]), int(parts[3]), int(parts[4])), strict=True))
    found = date(numbers["y"], numbers["m"], numbers["d"])
    if found.year < 2000:
        raise ValueError(cell)
    return found.isoformat()


def whole_id(cell: str) -> int:
    """Return an id; raises `ValueError` for what is none."""
    if not re.fullmatch("[0-9]+", cell) or int(cell) >= 2**63:
        raise ValueError(cell)
    return int(cell)


def device(cell: str) -> int:
    """Return the code of a device; raises `ValueError` for one we do not know."""
    return DEVICES.index(cell.upper())


def count(cell: str, told: Told) -> int:
    """Return a whole number, with or without thousands set apart and `.0`; raises `ValueError` for any other."""
    if cell in MISSING:
        return 0
    if not number_fits(cell, comma=told.comma, whole=True):
        raise ValueError(cell)
    whole = re.sub("[.,]0{1,2}$", "", cell)
    number = int(re.sub("[,.]", "", whole))
    if number > 10**15:
        raise ValueError(cell)
    return number


def micros(cell: str, told: Told) -> int:
    """Return an amount in millionths, half away from zero; raises `ValueError` for what is none."""
    cell = re.sub(f"^({SIGNS})|({SIGNS})$", "", cell).strip()
    if cell in MISSING:
        return 0
    if not number_fits(cell, comma=told.comma):
        raise ValueError(cell)
    thousands, decimal = ".," if told.comma else ",."
    amount = Decimal(cell.replace(thousands, "").replace(decimal, "."))
    rounded = amount.quantize(Decimal("1e-6"), ROUND_HALF_UP, Context(prec=100))
    if rounded > 10**9:
        raise ValueError(cell)
    return int(rounded.scaleb(6))


def number_fits(cell: str, *, comma: bool, whole: bool = False) -> bool:
    """Tell whether a number can be read with a decimal comma, or with a decimal point."""
    thousands, decimal = (r"\.", ",") if comma else (",", r"\.")
    fraction = f"({decimal}0{{1,2}})?" if whole else rf"({decimal}[0-9]+)?([eE][-+]?[0-9]{{1,2}})?"
    return re.fullmatch(rf"([0-9]+|[0-9]{{1,3}}({thousands}[0-9]{{3}})+){fraction}", cell) is not None
