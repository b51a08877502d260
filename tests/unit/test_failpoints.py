"""Failpoints do nothing unless asked, and then once, at the nth time."""

import pytest

from shared import failpoints
from shared.failpoints import FailpointError, parse

pytestmark = pytest.mark.anyio


async def test_without_the_setting_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(failpoints.SETTING, raising=False)
    await failpoints.reach("folded")
    assert parse("") is None


async def test_it_acts_the_nth_time_and_only_then() -> None:
    failpoint = parse("folded:3:raise")
    assert failpoint is not None
    for name in ("folded", "receipted", "folded"):
        await failpoint.reach(name)
    with pytest.raises(FailpointError):
        await failpoint.reach("folded")
    await failpoint.reach("folded")


@pytest.mark.parametrize("setting", ["folded", "folded:1", "folded:0:kill", "folded:one:kill", "folded:1:explode"])
def test_nonsense_is_refused(setting: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(setting)
