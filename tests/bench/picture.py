"""`picture.py RESULT.json PICTURE.png`: time against rows; run by the bench's own Python, which has matplotlib."""

import json
import sys
import textwrap
from pathlib import Path
from statistics import median

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # the backend must be chosen first

TITLE_CHARACTERS = 150


def draw(source: Path, target: Path) -> None:
    """Draw the times of both sides over the rows, with their spread."""
    result = json.loads(source.read_text())
    sizes, times = result["sizes"], result["times"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), constrained_layout=True)
    for name, label, colour in (("ours", "adledger, HTTP to read", "C0"), ("psql", "psql \\copy + upsert", "C1")):
        middle = [median(each) for each in times[name]]
        left.plot(sizes, middle, "o-", color=colour, label=label)
        left.fill_between(sizes, [min(e) for e in times[name]], [max(e) for e in times[name]], color=colour, alpha=0.2)
        right.plot(sizes, [m / s * 1e6 for m, s in zip(middle, sizes, strict=True)], "o-", color=colour, label=label)
    left.set(xscale="log", yscale="log", xlabel="rows in the file", ylabel="seconds", title="Time of a first load")
    right.set(xscale="log", xlabel="rows in the file", ylabel="microseconds a row", title="Time a row", ylim=(0, None))
    for axes in (left, right):
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    figure.suptitle(textwrap.fill(result["machine"], TITLE_CHARACTERS), fontsize=8)
    figure.savefig(target, dpi=110)


draw(*map(Path, sys.argv[1:]))
