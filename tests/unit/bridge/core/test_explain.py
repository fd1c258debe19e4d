"""How a status came about, in words; and that the words never come to another status than the one that is stored."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bridge.core.effective import EffectiveOptions, effective
from bridge.core.explain import as_of, ends, tell, wall_time
from bridge.core.model import (
    NEVER_HEARD,
    Charging,
    Effective,
    EvseStatus,
    EvseView,
    Fact,
    Layer0,
    Moment,
    Temporary,
    TemporaryKind,
)
from csms.events import ChargingState, ReportedStatus

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AT = Moment(NOON, NOON + timedelta(hours=7))
"""The steady clock is another one than the wall's."""
OPTIONS = EffectiveOptions()


def fact(status: str, connector: int = 1, evse: int = 0, seq: int = 1, age_s: float = 60, **other: object) -> Fact:
    return Fact(evse, connector, ReportedStatus(status), seq, AT.steady - timedelta(seconds=age_s), **other)  # type: ignore[arg-type]


def charging(state: ChargingState | None, **other: object) -> Charging:
    return Charging("T-1", 3, state, 5, AT.steady - timedelta(seconds=5), **other)  # type: ignore[arg-type]


def temporary(kind: str, begins_h: float = -1, ends_h: float | None = 1) -> Temporary:
    end = None if ends_h is None else NOON + timedelta(hours=ends_h)
    return Temporary(TemporaryKind(kind), NOON + timedelta(hours=begins_h), end)


def told(view: EvseView, previous: Effective = NEVER_HEARD, at: Moment = AT) -> list[tuple[str, str]]:
    """Return (step, text) of every step but those that have nothing to say."""
    stored = effective(view, previous, at, OPTIONS)
    return [(step.name, step.text) for step in tell(view, stored, at, OPTIONS).steps]


NOTHING = [
    ("transaction", "No transaction is known of this EVSE."),
    ("layer0", "There is no report about the EVSE or the station as a whole."),
    ("reachability", "The station is not declared unreachable."),
    ("hold", "Nothing is held."),
    ("temporary", "No temporary status is in force."),
]


def test_an_evse_that_was_never_heard_of():
    assert told(EvseView((None,))) == [
        ("connectors", "The EVSE is unknown: never heard of."),
        *NOTHING,
        ("result", "The EVSE is unknown."),
    ]


def test_of_several_connectors_the_first_by_rank_counts():
    view = EvseView((fact("Available"), fact("Charging", connector=2, seq=2)))
    assert told(view)[0] == (
        "connectors",
        "The EVSE is charging: connector 2 reported Charging. Of its connectors (1 is available, 2 is charging) the "
        "first in the order charging, occupied, reserved, available, unavailable, faulted, unknown counts.",
    )


@pytest.mark.parametrize(
    ("view", "step", "text"),
    [
        pytest.param(
            EvseView((fact("Occupied", evse=1),), charging=charging(ChargingState.CHARGING)),
            "transaction",
            "Transaction T-1 is Charging, which makes the EVSE charging.",
            id="a transaction lifts",
        ),
        pytest.param(
            EvseView((fact("Faulted", evse=1),), charging=charging(ChargingState.CHARGING)),
            "transaction",
            "Transaction T-1 is Charging, which changes nothing.",
            id="a transaction lifts nothing that is faulted",
        ),
        pytest.param(
            EvseView((fact("Occupied", evse=1),), charging=charging(ChargingState.CHARGING, doubt=True)),
            "transaction",
            "Transaction T-1 was Charging, and is not confirmed since the reconnect: it does not count yet.",
            id="a transaction in doubt",
        ),
        pytest.param(
            EvseView((fact("Occupied", evse=1),), charging=charging(None, ended=True)),
            "transaction",
            "Transaction T-1 has ended, which frees nothing by itself.",
            id="a transaction that ended",
        ),
        pytest.param(
            EvseView((fact("Charging"),), station_level=fact("Faulted", connector=0, seq=9)),
            "layer0",
            "The station as a whole reported Faulted, which takes the EVSE down from charging.",
            id="layer 0 takes down",
        ),
        pytest.param(
            EvseView((fact("Charging", seq=9, charging_from=9),), station_level=fact("Faulted", connector=0)),
            "layer0",
            "The station as a whole reported Faulted, but a car began to charge after that and stands there still.",
            id="layer 0 outranked",
        ),
        pytest.param(
            EvseView((fact("Charging"),), station_level=fact("Available", connector=0)),
            "layer0",
            "The station as a whole reported Available, which takes nothing away.",
            id="layer 0 takes nothing",
        ),
        pytest.param(
            EvseView((fact("Charging"),), station_level=fact("Faulted", connector=0), layer0=Layer0.IGNORE),
            "layer0",
            "Reports about the EVSE or the station as a whole are ignored (layer0 = ignore).",
            id="layer 0 ignored",
        ),
        pytest.param(
            EvseView((fact("Charging"),), station_level=fact("Faulted", connector=0, seq=9), layer0=Layer0.SOURCE),
            "connectors",
            "The EVSE is faulted: the station as a whole reported Faulted.",
            id="layer 0 is the source",
        ),
        pytest.param(
            EvseView((fact("Available"),), unreachable=True),
            "reachability",
            "The station is declared unreachable: available becomes unknown.",
            id="unreachable",
        ),
        pytest.param(
            EvseView((fact("Faulted"),), unreachable=True),
            "reachability",
            "The station is declared unreachable, but faulted promises nothing to anybody, and stays.",
            id="unreachable and faulted",
        ),
        pytest.param(
            EvseView((fact("Available"),), temporaries=(temporary("MAINTENANCE"), temporary("BLOCKED"))),
            "temporary",
            "Temporary MAINTENANCE is in force: the EVSE is maintenance whatever its connectors are.",
            id="a temporary status",
        ),
        pytest.param(
            EvseView((fact("Faulted"),), temporaries=(temporary("RESERVED"),)),
            "temporary",
            "Temporary RESERVED is in force, but gives way to faulted.",
            id="a reservation that gives way",
        ),
        pytest.param(
            EvseView((fact("Faulted"),), temporaries=(temporary("BLOCKED"),)),
            "result",
            "The EVSE is blocked (live: faulted).",
            id="live is told where it differs",
        ),
    ],
)
def test_a_step_says_what_it_did(view: EvseView, step: str, text: str):
    assert dict(told(view))[step] == text


def test_a_hold_is_told_with_its_length_and_its_end():
    occupied = effective(EvseView((fact("Occupied"),)), NEVER_HEARD, AT, OPTIONS)
    view = EvseView((fact("Available", age_s=0.5),))
    assert dict(told(view, occupied))["hold"] == (
        "Available counts once it has stood for 2 s, since stations blink Available: occupied is held."
    )
    held = effective(view, occupied, AT, OPTIONS)
    (end,) = ends(view, held, AT)
    assert (end.at, end.text) == (NOON + timedelta(seconds=1.5), "available has stood for the hold, and counts")


def test_an_evse_that_moved_keeps_its_value():
    view = EvseView((None,), kept_until=AT.steady + timedelta(minutes=5))
    previous = Effective(EvseStatus.CHARGING, EvseStatus.CHARGING, "x")
    assert told(view, previous) == [
        ("kept", "Charging kept since the EVSE moved; its station has not reported it yet."),
        ("temporary", "No temporary status is in force."),
        ("result", "The EVSE is charging."),
    ]
    (end,) = ends(view, effective(view, previous, AT, OPTIONS), AT)
    assert (end.at, end.text) == (
        NOON + timedelta(minutes=5),
        "the value that was kept since the EVSE moved is dropped",
    )


def test_the_next_temporary_boundary_is_ahead():
    view = EvseView((fact("Available"),), temporaries=(temporary("BLOCKED", 2, 3), temporary("MAINTENANCE", -1, 1)))
    decided = effective(view, NEVER_HEARD, AT, OPTIONS)
    assert [(end.at, end.text) for end in ends(view, decided, AT)] == [
        (NOON + timedelta(hours=1), "temporary MAINTENANCE ends")
    ]


def test_a_status_whose_time_has_passed_is_told_as_it_was_decided_and_marked():
    view = EvseView((fact("Available"),), temporaries=(temporary("BLOCKED", -1, 1),))
    stored = effective(view, NEVER_HEARD, AT, OPTIONS)
    later = Moment(NOON + timedelta(hours=2), AT.steady + timedelta(hours=2))
    found = tell(view, stored, later, OPTIONS)
    assert (found.decided, found.overdue) == (stored, True)
    assert found.steps[-1].text == "The EVSE is blocked (live: available)."
    assert not tell(view, stored, AT, OPTIONS).overdue


def test_a_steady_time_is_told_by_the_wall_clock():
    assert wall_time(AT.steady + timedelta(seconds=3), AT) == NOON + timedelta(seconds=3)


@pytest.mark.parametrize("seed", range(60))
def test_the_steps_always_come_to_the_stored_status(seed: int):
    """Whatever happened, and whenever somebody asks, the explanation is of the status that is stored."""
    history = History(seed)
    for _ in range(60):
        history.go_on()
        at = history.later()
        found = tell(history.view, history.stored, at, OPTIONS)
        assert found.decided == history.stored
        assert found.steps[-1].status is history.stored.status
        assert found.steps[-2].status is history.stored.status
        assert found.overdue is (as_of(history.stored, at) != at)


class History:
    """One EVSE to which things happen, decided anew after each as the bridge does."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.at = AT
        self.seq = 10
        layer0 = self.random.choice(list(Layer0))
        self.view = EvseView((None,) * self.random.randint(1, 3), layer0=layer0)
        self.stored = effective(self.view, NEVER_HEARD, self.at, OPTIONS)

    def later(self) -> Moment:
        """Return a moment after the last decision: often at once, sometimes long after what it waits for."""
        return self._after(self.random.choice((0, 0, 0.7, 1.9, 2.1, 30, 4000)))

    def _after(self, seconds: float) -> Moment:
        passed = timedelta(seconds=seconds)
        return Moment(self.at.now + passed, self.at.steady + passed)

    def go_on(self) -> None:
        self.at = self._after(self.random.choice((0, 0.1, 0.5, 1, 2.5, 60, 900)))
        self.seq += 1
        self.view = self.random.choice(
            (self._report, self._report, self._level, self._transact, self._lose, self._return, self._order, self._move)
        )()
        self.stored = effective(self.view, self.stored, self.at, OPTIONS)

    def _fact(self, connector: int) -> Fact:
        return Fact(
            1,
            connector,
            self.random.choice(list(ReportedStatus)),
            self.seq,
            self.at.steady,
            doubt=self.random.random() < 0.1,
            boot_doubt=connector == 0 and self.random.random() < 0.1,
            charging_from=self.seq if self.random.random() < 0.2 else None,
        )

    def _report(self) -> EvseView:
        place = self.random.randrange(len(self.view.connectors))
        connectors = list(self.view.connectors)
        connectors[place] = self._fact(place + 1)
        return replace(self.view, connectors=tuple(connectors))

    def _level(self) -> EvseView:
        fact = self._fact(0) if self.random.random() < 0.7 else None
        if self.random.random() < 0.5:
            return replace(self.view, station_level=None if fact is None else replace(fact, evse=0))
        return replace(self.view, evse_level=fact)

    def _transact(self) -> EvseView:
        state = self.random.choice([None, *ChargingState])
        doubt = self.random.random() < 0.2
        return replace(
            self.view, charging=Charging("T", 1, state, self.seq, self.at.steady, charging_from=self.seq, doubt=doubt)
        )

    def _lose(self) -> EvseView:
        return replace(self.view, unreachable=True)

    def _return(self) -> EvseView:
        return replace(self.view, unreachable=False)

    def _order(self) -> EvseView:
        begins = self.at.now + timedelta(seconds=self.random.choice((-5, 0, 1, 600)))
        ends_ = self.random.choice((None, begins + timedelta(seconds=self.random.choice((1, 30, 1200)))))
        kind = self.random.choice(list(TemporaryKind))
        return replace(self.view, temporaries=(*self.view.temporaries[-2:], Temporary(kind, begins, ends_)))

    def _move(self) -> EvseView:
        silent = EvseView((None,) * len(self.view.connectors), layer0=self.view.layer0)
        return replace(silent, kept_until=self.at.steady + timedelta(minutes=15), temporaries=self.view.temporaries)
