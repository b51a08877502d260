"""The page `docs/columns.md`: what each column is called where.

`python -m services.ingest.api.reading.names_page` prints it.
"""

import sys

from services.ingest.api.reading.sources import SOURCES, Column

_RULE = (
    "Header rows are understood in these names, without regard to case, spaces and punctuation: `Ad group ID`, "
    "`AdGroupId` and `ad_group.id` are one name. Written from `services/ingest/api/reading/sources.py`."
)
_STAND_INS = (
    "* `Results`, `Reporting starts`, `Reporting ends`, `date_start`, `date_stop` and LinkedIn's dates count only "
    "where no other column of their meaning is there. A period's first or last day alone is no day."
)


def page() -> str:
    """Return `docs/columns.md`: what each column is called where."""
    columns = list(Column)
    lines = ["# Names of columns", "", _RULE, ""]
    for source in SOURCES:
        lines += [f"## {source.title}", "", "| column | names |", "|---|---|"]
        named = [(column, source.names[column]) for column in columns if column in source.names]
        lines += [f"| `{column}` | {', '.join(f'`{name}`' for name in names)} |" for column, names in named]
        marks = ", ".join(f"`{mark}`" if mark else "nothing" for mark in source.none_marks)
        lines += ["", f"In counts, 0 may be written as: {marks}.", ""] if marks else [""]
    return "\n".join([*lines, *_PARTICULARS, ""])


_PARTICULARS = (
    "## Particulars",
    "",
    "* A cost may have its currency behind its name: `Amount spent (IDR)`.",
    "* Costs are in millionths if the name ends in `micros` (`Spend (micros)`), or is `spend_in_micro_dollar`.",
    "* Beside a column of campaign groups, LinkedIn's `Campaign ID` is the ad group's, and the group is the campaign.",
    _STAND_INS,
    "* Devices: `Computers`, `Mobile phones`, `Tablets with full browsers`, `TV screens` and the like are known.",
)

if __name__ == "__main__":
    sys.stdout.write(page())
