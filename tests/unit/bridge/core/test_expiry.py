from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.expiry import Urgency, days_left, expiry_warning, urgency

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.row("T39")
@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(timedelta(days=365), Urgency.NONE, id="a-year"),
        pytest.param(timedelta(days=30) + SECOND, Urgency.NONE, id="more-than-30-days"),
        pytest.param(timedelta(days=30), Urgency.NOTICE, id="30-days"),
        pytest.param(timedelta(days=14) + SECOND, Urgency.NOTICE, id="more-than-14-days"),
        pytest.param(timedelta(days=14), Urgency.SOON, id="14-days"),
        pytest.param(timedelta(days=7) + SECOND, Urgency.SOON, id="more-than-7-days"),
        pytest.param(timedelta(days=7), Urgency.URGENT, id="7-days"),
        pytest.param(timedelta(0), Urgency.URGENT, id="its-last-second"),
        pytest.param(-SECOND, Urgency.EXPIRED, id="over"),
    ],
)
def test_urgency_rises_at_30_14_and_7_days(left: timedelta, expected: Urgency) -> None:
    assert urgency(NOW + left, NOW) is expected
    assert (expiry_warning(NOW + left, NOW) is None) is (expected is Urgency.NONE)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=37, hours=3), 37),
        (timedelta(hours=23), 0),
        (-SECOND, -1),
        (-timedelta(days=3), -3),
    ],
)
def test_days_left_are_whole_days(left: timedelta, expected: int) -> None:
    assert days_left(NOW + left, NOW) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=30), "the client certificate ends on 2026-12-25, in 30 days: ask the hub for a new one"),
        (
            timedelta(days=14),
            "the client certificate ends soon, on 2026-12-09, in 14 days: a new one should be here",
        ),
        (timedelta(days=1), "URGENT: the client certificate ends on 2026-11-26, in 1 day: replace it now"),
        (
            timedelta(hours=3),
            "URGENT: the client certificate ends on 2026-11-25, in less than a day: replace it now",
        ),
        (
            -timedelta(days=2),
            "EXPIRED: the client certificate ended on 2026-11-23: the hub refuses everything until it is replaced",
        ),
    ],
)
def test_warning_says_when_and_what_to_do(left: timedelta, expected: str) -> None:
    assert expiry_warning(NOW + left, NOW) == expected
