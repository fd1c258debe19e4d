"""foreseen: when a hub's word changes by itself, and that nothing is promised which today's facts do not say."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.effective import EffectiveOptions, effective
from bridge.core.foreseen import available_from
from bridge.core.mapping import chargeprice
from bridge.core.model import NEVER_HEARD, Effective, EvseStatus, EvseView, Fact, Moment, Temporary, TemporaryKind
from csms.events import ReportedStatus

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
WALL = datetime(2020, 2, 28, 14, 0, tzinfo=UTC)
"""The wall clock of the tests is years away from the steady one: no rule may mix them."""
HOLD = EffectiveOptions(timedelta(seconds=2))
LONG_AGO = -3600.0


def moment(seconds: float = 0) -> Moment:
    return Moment(now=WALL + timedelta(seconds=seconds), steady=T0 + timedelta(seconds=seconds))


def temporary(kind: str, start: float, end: float | None) -> Temporary:
    stop = None if end is None else WALL + timedelta(seconds=end)
    return Temporary(TemporaryKind(kind), WALL + timedelta(seconds=start), stop)


def view(word: str | None, *temporaries: Temporary, received: float = LONG_AGO, **more: object) -> EvseView:
    fact = None if word is None else Fact(0, 1, ReportedStatus(word), 1, T0 + timedelta(seconds=received))
    return EvseView((fact,), temporaries=temporaries, **more)


def foreseen(
    seen: EvseView, previous: Effective = NEVER_HEARD, words: Mapping[EvseStatus, str] | None = None
) -> float | None:
    """Seconds from now at which the EVSE will be available; None where nothing is foreseen."""
    at = moment()
    found = available_from(seen, effective(seen, previous, at, HOLD), at, HOLD, words or chargeprice.TABLE)
    return None if found is None else (found - WALL).total_seconds()


def live(status: str) -> Effective:
    return Effective(EvseStatus(status), EvseStatus(status), "before")


MAINTENANCE = temporary("MAINTENANCE", -60, 508)

CASES = {
    "free below a maintenance": (view("Available", MAINTENANCE), 508),
    "faulted below a maintenance": (view("Faulted", MAINTENANCE), None),
    "unavailable below a maintenance": (view("Unavailable", MAINTENANCE), None),
    "occupied below a maintenance": (view("Charging", MAINTENANCE), None),
    "never heard of": (view(None, MAINTENANCE), None),
    "unreachable": (view("Available", MAINTENANCE, unreachable=True), None),
    "no temporary status": (view("Available"), None),
    "maintenance without an end": (view("Available", temporary("MAINTENANCE", -60, None)), None),
    "maintenance to come": (view("Available", temporary("MAINTENANCE", 60, 120)), None),
    "one after the other": (view("Available", MAINTENANCE, temporary("MAINTENANCE", 508, 900)), 900),
    "overlapping": (view("Available", MAINTENANCE, temporary("COMMISSIONING", 100, 900)), 900),
    "followed by a block": (view("Available", MAINTENANCE, temporary("BLOCKED", 400, 900)), None),
    "reserved over free": (view("Available", temporary("RESERVED", -60, 508)), 508),
    "blocked over free": (view("Available", temporary("BLOCKED", -60, 508)), 508),
    "gap of no time": (view("Available", MAINTENANCE, temporary("COMMISSIONING", 508, None)), None),
}


@pytest.mark.parametrize(("seen", "seconds"), CASES.values(), ids=CASES.keys())
def test_end_is_foreseen_only_where_the_evse_is_free_then(seen: EvseView, seconds: float | None) -> None:
    assert foreseen(seen) == seconds


def test_a_year_of_reservations_below_a_block_costs_a_look_at_a_few_of_them() -> None:
    class Counted(Mapping[EvseStatus, str]):
        asked = 0

        def __getitem__(self, status: EvseStatus) -> str:
            self.asked += 1
            return chargeprice.TABLE[status]

        def __iter__(self) -> Iterator[EvseStatus]:
            return iter(chargeprice.TABLE)

        def __len__(self) -> int:
            return len(chargeprice.TABLE)

    many = [temporary("RESERVED", start, start + 30) for start in range(0, 60_000, 60)]
    words = Counted()
    assert foreseen(view("Available", temporary("BLOCKED", -60, None), *many), words=words) is None
    assert words.asked < 100


def test_what_makes_the_evse_inoperative_at_its_station_promises_nothing() -> None:
    enforced = replace(MAINTENANCE, enforce=True)
    assert foreseen(view("Available", enforced)) is None
    assert foreseen(view("Available", replace(temporary("MAINTENANCE", 100, 300), enforce=True), MAINTENANCE)) is None
    assert foreseen(view("Available", replace(temporary("MAINTENANCE", 600, 900), enforce=True), MAINTENANCE)) == 508
    assert foreseen(view("Available", replace(temporary("MAINTENANCE", -90, -60), enforce=True), MAINTENANCE)) == 508


def test_hold_that_ends_before_the_maintenance_does_is_foreseen() -> None:
    seen = view("Available", MAINTENANCE, received=0)
    assert foreseen(seen, live("occupied")) == 508


def test_hold_that_outlasts_the_maintenance_promises_nothing() -> None:
    seen = view("Available", temporary("MAINTENANCE", -60, 1), received=0)
    assert foreseen(seen, live("occupied")) is None


def test_end_of_a_hold_is_never_told_ahead() -> None:
    assert foreseen(view("Available", received=0), live("occupied")) is None
    to_come = temporary("BLOCKED", 30, 60)
    assert foreseen(view("Available", to_come, received=0), live("occupied")) is None


def test_moved_evse_whose_station_said_nothing_promises_nothing() -> None:
    seen = view(None, MAINTENANCE, kept_until=T0 + timedelta(minutes=15))
    assert foreseen(seen, live("available")) is None


def test_moved_evse_whose_station_reported_counts_as_any_other() -> None:
    seen = view("Available", MAINTENANCE, kept_until=T0 + timedelta(minutes=15))
    assert foreseen(seen, live("available")) == 508


def test_change_that_the_account_has_one_word_for_is_none() -> None:
    words = {**chargeprice.TABLE, EvseStatus.BLOCKED: "maintainance"}
    seen = view("Available", MAINTENANCE, temporary("BLOCKED", 400, 900))
    assert foreseen(seen, words=words) == 900


def random_view(seed: int) -> tuple[EvseView, Effective]:
    rng = random.Random(seed)
    temporaries = []
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(-20, 10)
        end = None if rng.random() < 0.2 else start + rng.randint(1, 30)
        temporaries.append(temporary(rng.choice(list(TemporaryKind)), start, end))
    word = rng.choice(["Available", "Available", "Available", "Charging", "Faulted", "Unavailable", "Reserved", None])
    received = rng.choice([LONG_AGO, -1, 0])
    seen = view(word, *temporaries, received=received, unreachable=rng.random() < 0.1)
    return seen, rng.choice([NEVER_HEARD, live("available"), live("occupied"), live("unknown")])


@pytest.mark.parametrize("seed", range(400))
def test_what_is_promised_is_what_happens_while_no_fact_changes(seed: int) -> None:
    seen, previous = random_view(seed)
    promised = foreseen(seen, previous)
    if promised is None:
        return
    told = effective(seen, previous, moment(), HOLD)
    for at in range(int(promised)):
        assert chargeprice.TABLE[effective(seen, told, moment(at), HOLD).status] == chargeprice.TABLE[told.status]
    assert effective(seen, told, moment(promised), HOLD).status is EvseStatus.AVAILABLE


def test_random_views_promise_often_enough_to_prove_something() -> None:
    assert sum(foreseen(*random_view(seed)) is not None for seed in range(400)) > 40
