from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.repeats import Answered, Found, InWork, KeptOrder, New, OtherOrder, decide

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def kept(status: int | None = 200, answer: str | None = "{}", age: timedelta = timedelta(0)) -> KeptOrder:
    return KeptOrder("same", NOON - age, status, answer)


@pytest.mark.parametrize(
    ("before", "fingerprint", "expected"),
    [
        pytest.param(None, "same", New(), id="never seen"),
        pytest.param(kept(), "same", Answered(200, "{}"), id="answered"),
        pytest.param(kept(answer=None), "same", Answered(200, None), id="answered, and not kept"),
        pytest.param(kept(None, None), "same", InWork(), id="in work"),
        pytest.param(kept(), "other", OtherOrder(), id="another order"),
        pytest.param(kept(None, None), "other", OtherOrder(), id="another order than the one in work"),
        pytest.param(kept(age=timedelta(hours=23, minutes=59)), "same", Answered(200, "{}"), id="a day ago, nearly"),
        pytest.param(kept(age=timedelta(hours=24)), "same", New(), id="a day ago"),
        pytest.param(kept(age=timedelta(hours=24)), "other", New(), id="another one a day ago"),
    ],
)
def test_an_order_is_told_by_its_key_and_its_content(
    before: KeptOrder | None, fingerprint: str, expected: Found
) -> None:
    assert decide(before, fingerprint, NOON) == expected
