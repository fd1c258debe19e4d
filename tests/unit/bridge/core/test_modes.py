from __future__ import annotations

import pytest

from bridge.core.modes import Mode, effective_mode

OFF, DRY, LIVE = Mode.OFF, Mode.DRY_RUN, Mode.LIVE


@pytest.mark.parametrize(
    ("configured", "stored", "expected"),
    [
        pytest.param(None, None, OFF, id="nothing-leaves-before-an-operator-says-so"),
        pytest.param(LIVE, None, LIVE, id="the-file-gives-the-first-value"),
        pytest.param(DRY, None, DRY, id="the-file-gives-the-first-dry-run"),
        pytest.param(LIVE, OFF, OFF, id="disabled-beats-the-file"),
        pytest.param(DRY, LIVE, LIVE, id="enabled-beats-the-file"),
        pytest.param(None, LIVE, LIVE, id="enabled-needs-no-file"),
        pytest.param(OFF, LIVE, OFF, id="the-file-forces-off"),
        pytest.param(OFF, DRY, OFF, id="the-file-forces-off-a-dry-run-too"),
        pytest.param(OFF, None, OFF, id="off-is-off"),
    ],
)
def test_what_counts(configured: Mode | None, stored: Mode | None, expected: Mode) -> None:
    assert effective_mode(configured, stored) is expected
