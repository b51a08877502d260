"""Reads a large file that is hard in every way at once, in a process of its own, and says how much memory that took."""

import re
import sys
from pathlib import Path

from services.ingest.api.reading.parsing import Parser

ROWS = 160_000
HEADER = "Day\tCampaign\tAd group ID\tDevice\tImpr.\tClicks\tConv.\tCost\r\n"
TOTAL = "Total: Account\t --\t --\t --\t5\t5\t5\t5\r\n"


def write(path: Path) -> None:
    """Write UTF-16 with tabs and lines above the header: decimal commas, names over two lines, each 100th row bad."""
    with path.open("w", encoding="utf-16-le", newline="") as file:
        file.write("\ufeffReport\r\nMay\r\n" + HEADER)
        for number in range(ROWS):
            name = '"two\r\nlines, ""quoted"""' if number % 7 == 0 else f"Größe {number}"
            clicks = "x" if number % 100 == 0 else str(number % 1000)
            day = f"{number % 28 + 1:02}/{number % 12 + 1:02}/2025"
            cost = f"1.{number % 1000:03},{number % 100:02}"
            cells = day, name, str(10**17 + number), "Tablet", "1.234.567", clicks, "0,5", cost
            file.write("\t".join(cells) + "\r\n")
        file.write(TOTAL)


def main(folder: Path) -> None:
    """Print the size of the file and the most memory there was, in bytes, and the rows read, rejected, and totals."""
    source = folder / "source"
    write(source)
    parsed = Parser(folder).parse(source, folder)
    assert parsed.report is not None
    # Not what getrusage says: that begins with what the process had which this one came from.
    peak = int(re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))[0]) * 1024
    numbers = source.stat().st_size, peak, parsed.rows_read, parsed.rows_rejected, parsed.report.rows_total
    sys.stdout.write(" ".join(map(str, numbers)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
