"""What happens next with a delivery, in the order in which its lane asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.model import Delivery, Lane
from bridge.core.modes import Mode
from bridge.core.next_steps import Next, NextStep, Standing, next_step
from bridge.core.reconcile import ReconcileOptions

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=30)
LATE = NOW + timedelta(hours=6)
LIVE = Standing(Mode.LIVE)
DIRTY = Delivery("Occupied", 2, acked="Available", acked_seq=1)
AGREED = Delivery("Occupied", 2, acked="Occupied", acked_seq=2)
REFUSED = Delivery("Occupied", 2, refused="018", refused_seq=2, not_before=LATE)


@pytest.mark.parametrize(
    ("row", "lane", "standing", "expected"),
    [
        pytest.param(DIRTY, Lane(), LIVE, NextStep(Next.DUE, None), id="due"),
        pytest.param(DIRTY, Lane(), Standing(Mode.OFF), NextStep(Next.OFF, None), id="off"),
        pytest.param(DIRTY, Lane(), Standing(Mode.DRY_RUN), NextStep(Next.DRY_RUN, None), id="dry run"),
        pytest.param(AGREED, Lane(), LIVE, NextStep(Next.AGREED, None), id="agreed"),
        pytest.param(
            Delivery("a", 1, acked="a", acked_seq=1, reassert_at=LATE),
            Lane(),
            LIVE,
            NextStep(Next.AGREED, LATE),
            id="agreed until the daily assertion",
        ),
        pytest.param(
            Delivery("a", 1, acked="a", acked_seq=1, doubt_until=SOON),
            Lane(),
            LIVE,
            NextStep(Next.IN_DOUBT, SOON),
            id="in doubt",
        ),
        pytest.param(
            Delivery("a", 2, in_flight_seq=2, attempted_at=NOW),
            Lane(),
            LIVE,
            NextStep(Next.IN_FLIGHT, NOW),
            id="in flight",
        ),
        pytest.param(REFUSED, Lane(), LIVE, NextStep(Next.REFUSED, LATE, "018"), id="refused"),
        pytest.param(
            Delivery("Occupied", 3, refused="018", refused_seq=2),
            Lane(),
            LIVE,
            NextStep(Next.DUE, None),
            id="refused with another value",
        ),
        pytest.param(
            DIRTY,
            Lane(held="HTTP 401", held_at=NOW - timedelta(seconds=30)),
            LIVE,
            NextStep(Next.HELD, SOON, "HTTP 401"),
            id="held",
        ),
        pytest.param(DIRTY, Lane(failures=2, paused_until=SOON), LIVE, NextStep(Next.PAUSED, SOON), id="paused"),
        pytest.param(
            Delivery("a", 2, not_before=SOON, attempts=1), Lane(), LIVE, NextStep(Next.DEFERRED, SOON), id="deferred"
        ),
        pytest.param(
            DIRTY, Lane(), Standing(Mode.LIVE, waits_for_full_load=True), NextStep(Next.FULL_LOAD, None), id="fullLoad"
        ),
        pytest.param(
            DIRTY, Lane(), Standing(Mode.LIVE, waits_for_data=True), NextStep(Next.DATA, None), id="its data first"
        ),
    ],
)
def test_what_happens_next(row: Delivery, lane: Lane, standing: Standing, expected: NextStep):
    assert next_step(row, lane, standing, NOW, ReconcileOptions()) == expected
