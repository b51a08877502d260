"""Header rows below the header: the same one again, as in files that were put together, or another one.

Pure: SQL expressions over the cells of a refused record.
"""

from services.ingest.api.reading.columns import Header
from services.ingest.api.reading.dictionary import KNOWN, fold
from services.ingest.api.reading.numbers import sql

HEADER_CELLS = 3
"""How many names that we know make a record a header row, where the header has as many."""
_ROW_LIKE = r"[0-9]{6}|[0-9]{4}-[0-9]"
"""What header rows do not hold, and most rows do."""


def is_another(header: Header, line: str, cells: str) -> str:
    """Return the condition that a record is a header row, but not the file's own."""
    return f"({_is_header(header, line, cells)} AND NOT {is_again(header, line, cells)})"


def _is_header(header: Header, line: str, cells: str) -> str:
    names = f"list_filter({cells}, lambda cell: {_folded('cell')} IN ({', '.join(map(sql, sorted(KNOWN)))}))"
    return f"(NOT regexp_matches({line}, {sql(_ROW_LIKE)}) AND len({names}) >= {_least(header)})"


def is_again(header: Header, line: str, cells: str) -> str:
    """Return the condition that a record is the file's own header row, as far as its columns are read."""
    places = [*header.places.values(), *(place for _, place in header.twins)]
    found = (
        f"list_transform([{', '.join(f'{cells}[{at.position + 1}]' for at in places)}], lambda cell: {_folded('cell')})"
    )
    wanted = f"[{', '.join(sql(fold(at.name)) for at in places)}]"
    return f"(NOT regexp_matches({line}, {sql(_ROW_LIKE)}) AND {found} IS NOT DISTINCT FROM {wanted})"


def _least(header: Header) -> int:
    return min(HEADER_CELLS, len(header.places))


def _folded(cell: str) -> str:
    """Return the expression of a name as `fold` compares it, but for letters that have another form in NFKC."""
    return rf"lower(regexp_replace({cell}, '[^\p{{L}}\p{{N}}]+', '', 'g'))"
