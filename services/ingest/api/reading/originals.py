"""The original text of records, found again by their line numbers in a file that had to be copied to be read."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from services.ingest.api.reading.envelope import opened, read_records

VALUE_LIMIT = 500
"""How many characters of a refused value are kept."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{SYMBOL FOR NULL}"})


def originals(path: Path, delimiter: str, lines: Iterable[int]) -> Iterator[str]:
    """Yield the record that begins on each of the lines, which ascend."""
    wanted = iter(lines)
    line = next(wanted, None)
    with opened(path) as text:
        for at, record in read_records(text, delimiter):
            if line is None:
                return
            if at == line:
                yield record.removesuffix("\n")
                line = next(wanted, None)


def complete(rejections: Path, path: Path, delimiter: str) -> None:
    """Put the original text in the last column of a file of rejections; it is the value where a record is bad."""
    target = rejections.with_suffix(".complete")
    with (
        rejections.open(encoding="utf-8", newline="\n") as rows,
        target.open("w", encoding="utf-8", newline="\n") as out,
        rejections.open(encoding="utf-8", newline="\n") as again,
    ):
        lines = (int(row.split("\t", 1)[0]) for row in again)
        for row, original in zip(rows, originals(path, delimiter, lines), strict=True):
            line, column, value, reason, _ = row.split("\t")
            if column == r"\N":
                value = original[:VALUE_LIMIT].translate(_ESCAPES)
            out.write(f"{line}\t{column}\t{value}\t{reason}\t{original.translate(_ESCAPES)}\n")
    target.replace(rejections)
