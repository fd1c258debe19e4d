"""Let Hypothesis look for the order of events in which an invariant breaks, and shorten it to the few that matter.

A failure prints the steps as a program. `pytest tests/torture/simulation/test_model.py --long --seeds 4711` makes the
examples of one seed again; without `--long` they are always the same.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from bridge.core.model import TemporaryKind
from bridge.core.modes import Mode
from tests.catalogue.recording import Tally
from tests.catalogue.table import COUNTED
from tests.torture.simulation.fates import PASSING
from tests.torture.simulation.model import CONNECTORS, EVSES, HUBS, OBEDIENT, Driven
from tests.torture.simulation.stations import STATUSES_2X, STATUSES_16
from tests.torture.simulation.world import Point

BRIEF_S = (0.01, 0.3, 1.0, 3.0, 10.0, 40.0)
LONG_S = (100.0, 600.0, 1000.0, 7200.0)
CLOCK_STEPS_S = (-315_576_000, -3600, -90, 90, 3600, 25_200, 315_576_000)

_WORDS = {name: STATUSES_16 if habits.version.value == "1.6" else STATUSES_2X for name, habits in OBEDIENT.items()}
REPORTS = [(name, address, word) for name, address in CONNECTORS for word, _ in _WORDS[name]]


class Life(RuleBasedStateMachine):
    """What can happen to a bridge, one rule each; `template` and `counted` are set by the test."""

    template: Path
    counted: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.driven: Driven | None = None

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        """Start the world."""
        self.driven = Driven(seed, self.template)

    @property
    def _world(self) -> Driven:
        assert self.driven is not None
        return self.driven

    def teardown(self) -> None:
        """Let every fault end: whatever happened, hubs agree."""
        if self.driven is None:
            return
        try:
            self.driven.quiesce()
        finally:
            self.counted.update(self.driven.counted)
            self.driven.close()

    # --- stations and time --------------------------------------------------------------------------------------------

    @rule(report=st.sampled_from(REPORTS), wait_s=st.sampled_from(BRIEF_S))
    def a_connector_changes(self, report: tuple[str, tuple[int, int], str], wait_s: float) -> None:
        self._world.report(*report)
        self._world.wait(wait_s)

    @rule(name=st.sampled_from(sorted(OBEDIENT)), half_open=st.booleans())
    def a_connection_is_lost(self, name: str, half_open: bool) -> None:
        self._world.lose(name, half_open=half_open)

    @rule(name=st.sampled_from(sorted(OBEDIENT)), wait_s=st.sampled_from(BRIEF_S))
    def a_station_comes_back(self, name: str, wait_s: float) -> None:
        self._world.reconnect(name)
        self._world.wait(wait_s)

    @rule(seconds=st.sampled_from(BRIEF_S))
    def a_moment_passes(self, seconds: float) -> None:
        self._world.wait(seconds)

    @rule(seconds=st.sampled_from(LONG_S))
    def hours_pass(self, seconds: float) -> None:
        self._world.wait(seconds)

    @rule(by_s=st.sampled_from(CLOCK_STEPS_S))
    def the_wall_clock_steps(self, by_s: int) -> None:
        self._world.step_wall_clock(timedelta(seconds=by_s))

    # --- faults -------------------------------------------------------------------------------------------------------

    @rule(hub=st.sampled_from(HUBS), fault=st.sampled_from(PASSING))
    def a_hub_breaks(self, hub: str, fault: dict[str, object]) -> None:
        self._world.break_hub(hub, fault)

    @rule(hub=st.sampled_from(HUBS))
    def a_hub_is_mended(self, hub: str) -> None:
        self._world.mend_hub(hub)

    @rule(why=st.sampled_from(("database or disk is full", "database is locked")))
    def storage_fails(self, why: str) -> None:
        self._world.break_storage(why)

    @rule()
    def storage_recovers(self) -> None:
        self._world.break_storage(None)

    @rule(point=st.sampled_from(Point), times=st.integers(1, 3))
    def the_process_will_be_killed_at(self, point: Point, times: int) -> None:
        self._world.kill(point, times)

    @rule()
    def the_process_is_killed(self) -> None:
        self._world.kill(None, 1)

    @rule()
    def the_process_is_restarted(self) -> None:
        self._world.restart()

    # --- operators ----------------------------------------------------------------------------------------------------

    @rule(
        evse_id=st.sampled_from(EVSES),
        kind=st.sampled_from(TemporaryKind),
        begins_s=st.sampled_from((0.0, 5.0, 3600.0)),
        lasts_s=st.sampled_from((None, 3.0, 600.0)),
    )
    def a_temporary_status_is_created(
        self, evse_id: str, kind: TemporaryKind, begins_s: float, lasts_s: float | None
    ) -> None:
        self._world.create_temporary(evse_id, kind, begins_s, lasts_s)

    @precondition(lambda self: self.driven is not None and self.driven.temporaries)
    @rule(kind=st.sampled_from(TemporaryKind), which=st.integers(0, 3))
    def a_temporary_status_is_changed(self, kind: TemporaryKind, which: int) -> None:
        self._world.change_temporary(self._number(which), kind)

    @precondition(lambda self: self.driven is not None and self.driven.temporaries)
    @rule(which=st.integers(0, 3))
    def a_temporary_status_is_removed(self, which: int) -> None:
        self._world.remove_temporary(self._number(which))

    def _number(self, which: int) -> int:
        numbers = self._world.temporaries
        return numbers[which % len(numbers)]

    @rule(hub=st.sampled_from(HUBS), mode=st.sampled_from(Mode))
    def an_account_is_switched(self, hub: str, mode: Mode) -> None:
        self._world.set_mode(hub, mode)

    @rule(hub=st.sampled_from(HUBS), forget=st.booleans())
    def an_account_is_synchronised(self, hub: str, forget: bool) -> None:
        self._world.sync(hub, forget=forget)

    @rule()
    def a_full_load_is_ordered(self) -> None:
        self._world.full_load()

    @rule()
    def every_fault_ends(self) -> None:
        self._world.quiesce()


@pytest.fixture
def life(migrated_database: Path, tally: Tally) -> Iterator[type[Life]]:
    """Return the machine for one test; what its worlds counted goes into the test's tally."""
    counted: Counter[str] = Counter()

    class Counted(Life):
        """The machine of one test."""

    Counted.template, Counted.counted = migrated_database, counted
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield Counted
    structlog.reset_defaults()
    tally.count(**{name: counted[name] for name in COUNTED if name in counted})


def _effort(examples: int, steps: int, *, same: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=same,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.row("T01", "T02")
def test_no_short_order_of_events_breaks_an_invariant(life: type[Life]) -> None:
    run_state_machine_as_test(life, settings=_effort(25, 12, same=True))  # type: ignore[no-untyped-call]


@pytest.mark.long
@pytest.mark.row("T01", "T02")
def test_no_order_of_events_breaks_an_invariant(seed: int, life: type[Life], tally: Tally) -> None:
    found = hypothesis.seed(seed)(life)
    run_state_machine_as_test(found, settings=_effort(200, 40, same=False))  # type: ignore[no-untyped-call]
    tally.seed(seed)
