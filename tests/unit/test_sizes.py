"""Files that are large, in ordinary ways and in odd ones: read within bounded memory, and never for ever."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.reading import Reader

ROOT = Path(__file__).parents[2]
HEADER = b"Campaign;date;ad_group_id;impressions;clicks;conversions;cost"
ROW = b"Rain;2025-05-13;7;500;25;2;454.06"


SIZES = {
    "quotes": b'"' * 2_000_000,
    "doubled quotes in lines": b'"a""b"\n' * 300_000,
    "commas": b"," * 2_000_000,
    "one long line": b"x" * 2_000_000,
    "lines above no header": b"nothing to see, here\n" * 100_000,
    "empty lines": b"\n" * 2_000_000,
    "carriage returns": b"\r" * 2_000_000,
    "a wide header": b",".join(b"c%d" % number for number in range(200_000)) + b"\n1\n",
    "a wide header of ours": HEADER + b";x" * 100_000 + b"\n" + ROW + b";y" * 100_000 + b"\n",
    "an open quote": HEADER + b'\n"' + ROW * 40_000,
    "digits": HEADER + b"\n" + ROW.replace(b"500", b"5" * 1_000_000) + b"\n",
    "spaces": HEADER + b"\n" + ROW.replace(b";7;", b";" + b" " * 1_000_000 + b"7;") + b"\n",
    "separators": HEADER + b"\n" + ROW.replace(b"454.06", b"1,111" * 20_000) + b"\n",
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("content", SIZES.values(), ids=SIZES)
def test_a_file_that_is_large_in_an_odd_way_is_read_or_refused_and_never_hangs(content: bytes, files: Reader) -> None:
    outcome = files.ask(content)

    assert isinstance(outcome, str) or outcome.parsed.rows_read == 1


@pytest.mark.timeout(240)
def test_a_large_and_nasty_file_is_read_within_bounded_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.nasty_file", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)

    assert run.returncode == 0, run.stderr
    size, peak, read, rejected, totals = map(int, run.stdout.split())
    assert size > 20_000_000
    assert (read, rejected, totals) == (160_001, 1600, 1)
    assert peak < 400_000_000
