"""From a spooled file to its accepted rows, aggregated and sorted, and its refused ones with their reasons.

What the whole file decides is decided first, and only then is any value taken. DuckDB does the reading.
"""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from services.ingest.api.reading.envelope import NotTextError, UnreadableFileError, as_utf8, read_top
from services.ingest.api.reading.flat import Flat, flatten, scan
from services.ingest.api.reading.loading import Load
from services.ingest.api.reading.numbers import QuestionError
from services.ingest.api.reading.options import ReadingOptions
from services.ingest.api.reading.parsed import Parsed
from services.ingest.api.reading.reporting import ClashError

__all__ = ["NotTextError", "Parsed", "Parser", "ReadingOptions", "UnreadableFileError"]

AS_IT_IS = ReadingOptions()
CLOSE_SECONDS = 5.0


class Parser:
    """One DuckDB instance, which many files may be parsed with; `parse` blocks, call it in a thread."""

    def __init__(self, spill: Path, memory_limit: str = "160MB") -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "temp_directory": str(spill),
            "preserve_insertion_order": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # It makes a join of each list of marks: more work than a small file is, and none less for a large one.
            "disabled_optimizers": "in_clause",
        }
        self._database = duckdb.connect(":memory:", config=config)
        self._reading: set[duckdb.DuckDBPyConnection] = set()
        self._is_closed = False

    def close(self) -> None:
        """Give back DuckDB's memory and files; a file that is being read in another thread is given up."""
        self._is_closed = True
        end = time.monotonic() + CLOSE_SECONDS
        while self._reading and time.monotonic() < end:
            # Again and again: each interrupts one question, and a file is read by several.
            for cursor in tuple(self._reading):
                cursor.interrupt()
            time.sleep(0.02)
        with contextlib.suppress(duckdb.Error):
            self._database.close()

    def _go_on(self) -> None:
        """Raise `InterruptedError` once the parser is closed."""
        if self._is_closed:
            raise InterruptedError("The file was given up: this process ends.")

    def parse(self, source: Path, work: Path, options: ReadingOptions = AS_IT_IS) -> Parsed:
        """Read the file `source` and write its rows and rejections under `work`.

        Raises `NotTextError` or `UnreadableFileError`. What the options leave open the file tells; where it can be
        read in two ways, it is refused with the question.
        """
        text = as_utf8(source, work, options.encoding)
        found = scan(text.path)
        top = read_top(text.path, options.kind)
        if found.is_flat:
            flat = Flat(text.path, top.delimiter, found.spare[0], top.lines)
        else:
            flat = flatten(text.path, work / "flat", top, found.spare, self._go_on)
        with self._cursor() as cursor:
            try:
                return Load(cursor, text, top, flat, options, work).run()
            except (QuestionError, ClashError) as error:
                raise UnreadableFileError(str(error)) from error

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a connection with temporary tables of its own, gone with it."""
        self._go_on()
        cursor = self._database.cursor()
        self._reading.add(cursor)
        try:
            yield cursor
        except duckdb.InterruptException as error:
            raise InterruptedError("The file was given up: this process ends.") from error
        finally:
            self._reading.discard(cursor)
            cursor.close()
