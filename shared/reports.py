"""What there is to say about how a file was read: the report that goes with an upload and that clients get to see."""

from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta


class MappedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Which column of the file was taken for which of ours."""

    column: Annotated[str, Meta(description="Our name of it.")]
    header: Annotated[str, Meta(description="The file's name of it.")]


class TotalRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that sums up others, which is kept and never loaded."""

    line: Annotated[int, Meta(description="The line on which it begins.")]
    text: Annotated[str, Meta(description="The row as it stands in the file.")]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """A metric's sum over the rows of a file beside the total that the file itself states."""

    metric: Annotated[str, Meta(description="Which metric.")]
    rows: Annotated[Decimal, Meta(description="The sum over the file's rows, in units.")]
    total: Annotated[Decimal, Meta(description="The file's own total, in units.")]
    line: Annotated[int, Meta(description="The line of the total.")]
    agrees: Annotated[bool, Meta(description="Whether they differ by no more than 0.005 a row, and 0.01.")]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a file was read, and what a person should know of it."""

    encoding: Annotated[str, Meta(description="Its encoding.")]
    delimiter: Annotated[str, Meta(description="What separates its fields.")]
    header_line: Annotated[int, Meta(description="The line of its header row.")]
    header: Annotated[str, Meta(description="Its header row as it stands.")]
    columns: Annotated[list[MappedColumn], Meta(description="The columns that were read.")]
    ignored: Annotated[list[str], Meta(description="The columns that were not.")] = []
    locale: Annotated[str | None, Meta(description="How its numbers are written.")] = None
    date_order: Annotated[str | None, Meta(description="The order of day, month and year in its dates.")] = None
    currency: Annotated[str | None, Meta(description="The currency it states.")] = None
    preamble: Annotated[list[str], Meta(description="The lines above its header row.")] = []
    rows_total: Annotated[int, Meta(description="How many of its rows are totals or footers.")] = 0
    total_rows: Annotated[list[TotalRow], Meta(description="The first of these.")] = []
    reconciliation: Annotated[list[Reconciliation], Meta(description="Its own totals against its rows.")] = []
    notes: Annotated[list[str], Meta(description="What was done with it that may be worth knowing.")] = []
    warnings: Annotated[list[str], Meta(description="What may be wrong with it.")] = []
