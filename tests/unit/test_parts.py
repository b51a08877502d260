"""An answer that is made again of parts is the answer that would be made anew, and only what changed is made."""

from array import array
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.query import parts
from services.query.answers import Kept, kept, renewed
from services.query.columns import Columns, Make, Read
from services.query.dataset import Version
from services.query.parts import remade
from shared.responses import encode

EPOCH = UUID(int=1)
HEADERS = [(b"content-type", b"application/json")]


class Counting:
    """What makes a list of pairs and a name, and counts the items that it made."""

    def __init__(self) -> None:
        self.made = 0

    def prepare(self, others: Columns) -> Callable[[Columns], list[list[object]]]:
        """Return what makes the items."""
        ((name,),) = others

        def make(rows: Columns) -> list[list[object]]:
            self.made += len(rows[0])
            return [[*row, name] for row in zip(*rows, strict=True)]

        return make


def read(number: int, rows: list[tuple[int, str]], name: str = "a") -> Read:
    columns = [array("q", [row[0] for row in rows]), [row[1] for row in rows], [name]]
    return Read("SELECT", (), Version(EPOCH, number), columns)


def asked(make: Make[list[list[object]]], first: Read) -> Kept:
    return kept(b"q", first, make, HEADERS, encode(make.of(first.columns)))


rows = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["x", 'with "]," in it'])), max_size=9)


@given(st.lists(st.tuples(rows, st.sampled_from("ab")), min_size=1, max_size=5))
def test_whatever_changes_the_answer_is_as_if_it_were_made_anew(
    versions: list[tuple[list[tuple[int, str]], str]],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "ROWS", 3)
        make = Make(Counting().prepare, 2)
        answer = asked(make, read(0, *versions[0]))
        for number, (now, name) in enumerate(versions, start=1):
            answer = remade(answer, read(number, now, name))
            assert answer.plain == asked(make, read(number, now, name)).plain


def test_only_the_parts_whose_rows_have_changed_are_made_again() -> None:
    counting = Counting()
    numbers = [(number, "x") for number in range(3 * parts.ROWS)]
    answer = asked(Make(counting.prepare, 2), read(1, numbers))
    made, answer_rows = [], numbers
    for number, change in enumerate([numbers[0], (-1, "x"), (-2, "x")], start=2):
        counting.made = 0
        changed = [change, *numbers[1:]]
        answer = remade(renewed(answer, read(number, answer_rows)), read(number, changed))
        answer_rows = changed
        made.append(counting.made)
        assert answer.plain.body == encode([[*row, "a"] for row in changed])
    # What the application made is not known part by part.
    assert made == [3 * parts.ROWS, parts.ROWS, parts.ROWS]


def test_what_concerns_all_rows_changes_all_parts() -> None:
    counting = Counting()
    numbers = [(number, "x") for number in range(2 * parts.ROWS)]
    answer = remade(asked(Make(counting.prepare, 2), read(1, numbers)), read(2, numbers))
    counting.made = 0
    assert remade(answer, read(3, numbers, "b")).plain.body == encode([[*row, "b"] for row in numbers])
    assert counting.made == 2 * parts.ROWS
