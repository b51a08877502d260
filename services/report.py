"""How the command line shows things: tables for people."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

Json = Any


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numbers_from: int = 1) -> Table:
    """Return a table; columns from `numbers_from` on are numbers, shown to the right."""
    shown = Table(title=title, title_justify="left", header_style="bold")
    for position, name in enumerate(columns):
        shown.add_column(name, justify="right" if position >= numbers_from else "left", overflow="fold")
    for row in rows:
        shown.add_row(*map(cell, row))
    return shown


def cell(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def show_uploads(console: Console, uploads: Iterable[Json], title: str = "Uploads") -> None:
    """Print a table of uploads."""
    columns = ("file", "kind", "state", "read", "accepted", "merged", "rejected", "id")
    rows = [
        (
            upload["filename"],
            upload["kind"],
            upload["state"],
            upload["rows_read"],
            upload["rows_accepted"],
            upload["rows_merged"],
            upload["rows_rejected"],
            upload["id"],
        )
        for upload in uploads
    ]
    console.print(table(title, columns, rows, numbers_from=3))


def show_rejections(console: Console, rejections: Sequence[Json], filename: str, limit: int = 20) -> None:
    """Print the rows that were not loaded."""
    rows = [(str(row["line"]), row["column"], row["value"], row["reason"]) for row in rejections[:limit]]
    more = f", the first {limit} of {len(rejections):,}" if len(rejections) > limit else ""
    title = f"Rows of {filename} that were not loaded{more}"
    console.print(table(title, ("line", "column", "value", "reason"), rows, numbers_from=9))
