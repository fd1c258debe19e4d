"""outlook: what an EVSE is from moment to moment while a wished temporary status is in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.effective import EffectiveOptions, effective
from bridge.core.model import NEVER_HEARD, EvseView, Fact, Moment, Temporary, TemporaryKind
from bridge.core.outlook import outlook, overlapping
from csms.events import ReportedStatus

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
WALL = datetime(2020, 2, 28, 14, 0, tzinfo=UTC)
"""The wall clock of the tests is years away from the steady one: no rule may mix them."""
AT = Moment(WALL, T0)
HOLD = EffectiveOptions(timedelta(seconds=2))


def temporary(kind: str, start: float, end: float | None) -> Temporary:
    stop = None if end is None else WALL + timedelta(seconds=end)
    return Temporary(TemporaryKind(kind), WALL + timedelta(seconds=start), stop)


def spans(word: str, wish: Temporary, *others: Temporary) -> list[tuple[float, str]]:
    fact = Fact(0, 1, ReportedStatus(word), 1, T0 - timedelta(hours=1))
    view = EvseView((fact,), temporaries=others)
    found = outlook(view, effective(view, NEVER_HEARD, AT, HOLD), wish, AT, HOLD)
    return [((span.begin - WALL).total_seconds(), span.status.value) for span in found]


@pytest.mark.parametrize(
    ("word", "wish", "others", "expected"),
    [
        pytest.param(
            "Available", ("MAINTENANCE", 0, 60), [], [(0, "maintenance"), (60, "available")], id="from-now-to-its-end"
        ),
        pytest.param("Available", ("BLOCKED", 0, None), [], [(0, "blocked")], id="until-removed"),
        pytest.param(
            "Charging", ("RESERVED", 30, 60), [], [(30, "reserved"), (60, "charging")], id="one-that-is-to-come"
        ),
        pytest.param("Faulted", ("RESERVED", 0, 60), [], [(0, "faulted")], id="reserved-does-not-hide-a-fault"),
        pytest.param(
            "Available",
            ("BLOCKED", 0, 100),
            [("MAINTENANCE", 20, 40)],
            [(0, "blocked"), (20, "maintenance"), (40, "blocked"), (100, "available")],
            id="another-one-wins-for-a-while",
        ),
        pytest.param(
            "Available",
            ("BLOCKED", 0, 100),
            [("MAINTENANCE", -10, None)],
            [(0, "maintenance")],
            id="another-one-hides-all",
        ),
        pytest.param(
            "Available",
            ("BLOCKED", -50, 50),
            [],
            [(0, "blocked"), (50, "available")],
            id="begun-in-the-past-is-from-now",
        ),
    ],
)
def test_the_evse_is_this_from_moment_to_moment(
    word: str, wish: tuple[str, float, float | None], others: list[tuple[str, float, float | None]], expected: object
) -> None:
    assert spans(word, temporary(*wish), *(temporary(*other) for other in others)) == expected


@pytest.mark.parametrize(
    ("wish", "other", "expected"),
    [
        pytest.param((0, 60), (30, 90), True, id="they-cross"),
        pytest.param((0, 60), (60, 90), False, id="one-follows-the-other"),
        pytest.param((0, None), (90, None), True, id="both-until-removed"),
        pytest.param((-60, 60), (-60, -1), False, id="the-other-is-over"),
        pytest.param((-60, 60), (-60, 0), False, id="the-other-ends-now"),
    ],
)
def test_two_overlap_where_both_are_in_force_at_one_time_yet_to_come(
    wish: tuple[float, float | None], other: tuple[float, float | None], expected: bool
) -> None:
    assert overlapping(temporary("BLOCKED", *wish), temporary("BLOCKED", *other), WALL) is expected
