"""How the command line shows things: tables for people, and answers in its own words."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

Json = Any

_PARAMETER = re.compile(r"\?(kind|encoding|locale|date_order)=")


def in_own_words(said: str) -> str:
    """Return what the API says with the command line's options in place of its parameters."""
    return _PARAMETER.sub(lambda found: f"--{found[1].replace('_', '-')} ", said)


def show_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers_from: int = 1,
) -> None:
    """Print a title and a table; columns from `numbers_from` on are numbers, shown to the right."""
    shown = Table(box=None, header_style="bold underline", padding=(0, 1, 0, 0))
    for position, name in enumerate(columns):
        justify: JustifyMethod = "right" if position >= numbers_from else "left"
        shown.add_column(name, justify=justify, overflow="fold", no_wrap=position == 0)
    for row in rows:
        shown.add_row(*(value if isinstance(value, Text) else Text(cell(value)) for value in row))
    console.print(title, style="bold cyan", highlight=False, soft_wrap=True)
    console.print(shown, "")


def cell(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def show_uploads(console: Console, uploads: Iterable[Json], title: str = "Uploads", *, with_ids: bool = True) -> None:
    """Print a table of uploads, and under each its id."""
    columns = ("file", "state", "read", "accepted", "merged", "rejected")
    rows = []
    for upload in uploads:
        counts = [upload[f"rows_{name}"] for name in columns[2:]]
        named = Text.assemble(upload["filename"], *([("\n" + upload["id"], "dim")] if with_ids else []))
        rows.append((named, upload.get("state", "not sent"), *counts))
    show_table(console, title, columns, rows, numbers_from=2)


def show_reading(console: Console, upload: Json) -> None:
    """Print what a person should know about how an upload was read, and what became of it."""
    report = upload.get("report") or {}
    said = [upload["reason"]] if upload.get("reason") else []
    said += [f"Warning: {warning}" for warning in report.get("warnings", ())]
    said += report.get("notes", ())
    if report.get("currency"):
        said.append(f"Its currency is {report['currency']}.")
    for each in said:
        console.print(f"{upload['filename']}: {in_own_words(each)}", highlight=False, markup=False, soft_wrap=True)


def show_rejections(console: Console, rejections: Sequence[Json], filename: str, limit: int = 20) -> None:
    """Print the rows that were not loaded."""
    rows = [(str(row["line"]), row["column"], row["value"], row["reason"]) for row in rejections[:limit]]
    more = f", the first {limit} of {len(rejections):,}" if len(rejections) > limit else ""
    title = f"Rows of {filename} that were not loaded{more}"
    show_table(console, title, ("line", "column", "value", "reason"), rows, numbers_from=9)
