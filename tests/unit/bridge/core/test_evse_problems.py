from __future__ import annotations

import pytest

from bridge.core.evse_problems import problems_of
from bridge.core.model import EvseStatus


@pytest.mark.parametrize(
    ("status", "unreachable", "states", "expected"),
    [
        pytest.param(EvseStatus.AVAILABLE, False, {"agreed", "pending", "deferred", "off"}, (), id="nothing"),
        pytest.param(EvseStatus.UNAVAILABLE, False, set(), (), id="an operator wants it so"),
        pytest.param(EvseStatus.MAINTENANCE, False, {"agreed"}, (), id="somebody knows"),
        pytest.param(EvseStatus.FAULTED, False, {"agreed"}, ("faulted",), id="faulted"),
        pytest.param(EvseStatus.OCCUPIED, True, set(), ("unreachable",), id="unreachable"),
        pytest.param(EvseStatus.UNKNOWN, False, set(), ("unknown",), id="unknown"),
        pytest.param(
            EvseStatus.UNKNOWN, True, {"held", "refused"}, ("refused", "held", "unreachable", "unknown"), id="all"
        ),
    ],
)
def test_what_is_wrong_is_named_and_the_most_urgent_first(
    status: EvseStatus, unreachable: bool, states: set[str], expected: tuple[str, ...]
) -> None:
    assert problems_of(status, unreachable, states) == expected
