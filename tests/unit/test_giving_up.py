"""A file that is being read when the process ends is given up, whatever is being done with it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from services.ingest.api.reading.parsing import Parsed, Parser
from tests.support.waiting import until

HEADER = "date,ad_group_id,device,impressions,clicks,conversions,cost\n"
PLAIN = "2026-01-01,{n},MOBILE,1,1,1,1\n"
QUOTED = '2026-01-01,"{n}",MOBILE,1,1,1,1\n'
LINES = 1_500_000


def begun(parser: Parser, folder: Path, line: str, has_begun: Callable[[], bool]) -> Future[Parsed]:
    """Begin to read a large file in another thread, and return what becomes of it."""
    source, work = folder / "large.csv", folder / "work"
    with source.open("w") as file:
        file.write(HEADER)
        file.writelines(line.format(n=n) for n in range(LINES))
    work.mkdir()
    reading = ThreadPoolExecutor(1).submit(parser.parse, source, work)
    until(has_begun)
    return reading


def test_a_question_to_duckdb_is_interrupted(tmp_path: Path) -> None:
    parser = Parser(tmp_path / "spill")
    reading = begun(parser, tmp_path, PLAIN, lambda: bool(parser._reading))
    parser.close()
    with pytest.raises(InterruptedError):
        reading.result(60)


def test_the_making_of_a_flat_copy_is_ended(tmp_path: Path) -> None:
    parser = Parser(tmp_path / "spill")
    copy = tmp_path / "work" / "flat"
    reading = begun(parser, tmp_path, QUOTED, lambda: copy.exists() and copy.stat().st_size > 0)
    parser.close()
    with pytest.raises(InterruptedError):
        reading.result(60)
    assert sum(1 for _ in copy.open("rb")) < LINES, "it was copied to its end"


def test_nothing_is_begun_any_more(tmp_path: Path) -> None:
    parser = Parser(tmp_path / "spill")
    source = tmp_path / "small.csv"
    source.write_text(HEADER + PLAIN.format(n=1))
    parser.close()
    with pytest.raises(InterruptedError):
        parser.parse(source, tmp_path)
