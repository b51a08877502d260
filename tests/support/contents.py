"""Random contents of files, few enough that they meet: what a property test sends."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.messages import Kind, Mode

DAY = date(2025, 12, 31)
CAMPAIGN_IDS = [10, 20, 30]

Rows = tuple[Any, ...]

_names = st.sampled_from([None, "a", "b", "c"])
_days = st.sampled_from([DAY, DAY + timedelta(1)])


def _lists(row: st.SearchStrategy[Any], key: int) -> st.SearchStrategy[Rows]:
    return st.lists(row, min_size=1, max_size=4, unique_by=lambda each: each[:key]).map(tuple)


rows: dict[Kind, st.SearchStrategy[Rows]] = {
    Kind.AD_GROUP_STATS: _lists(st.tuples(st.integers(1, 3), _days, st.integers(1, 2), *[st.integers(0, 99)] * 4), 3),
    Kind.AD_GROUPS: _lists(st.tuples(st.integers(1, 3), _names, st.sampled_from([None, 10, 20])), 1),
    Kind.CAMPAIGNS: _lists(st.tuples(st.sampled_from(CAMPAIGN_IDS), _names, _names), 1),
}
"""Rows for a file of each kind; each key occurs once."""

contents = st.one_of(
    st.tuples(st.just(Kind.AD_GROUP_STATS), st.sampled_from(Mode), rows[Kind.AD_GROUP_STATS]),
    st.tuples(st.just(Kind.AD_GROUPS), st.just(Mode.UPSERT), rows[Kind.AD_GROUPS]),
    st.tuples(st.just(Kind.CAMPAIGNS), st.just(Mode.UPSERT), rows[Kind.CAMPAIGNS]),
)
keys = st.sampled_from([None, None, "k"])
currencies = st.sampled_from([None, None, None, "EUR", "USD"])
