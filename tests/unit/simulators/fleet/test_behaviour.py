from datetime import timedelta

import pytest

from simulators.fleet.behaviour import (
    IN_USE,
    Behaviour,
    ConnectorState,
    LoseNetwork,
    PowerCycle,
    ReadMeter,
    Turn,
)
from simulators.fleet.layout import STATION_LEVEL, Address, Version, layout
from simulators.fleet.scenario import SCENARIOS

STEPS = 400

# OCPP 1.6 section 4.9, table of legal transitions; A Available, B Preparing, C Charging, D SuspendedEV,
# E SuspendedEVSE, F Finishing, G Reserved, H Unavailable, I Faulted; numbers in the same order.
_LEGAL = (
    "A2 A3 A4 A5 A7 A8 A9 B1 B3 B4 B5 B6 B9 C1 C4 C5 C6 C8 C9 D1 D3 D5 D6 D8 D9 E1 E3 E4 E6 E8 E9 "
    "F1 F2 F8 F9 G1 G2 G8 G9 H1 H2 H3 H4 H5 H9 I1 I2 I3 I4 I5 I6 I7 I8"
)
_ORDER = [
    *("Available", "Preparing", "Charging", "SuspendedEV", "SuspendedEVSE"),
    *("Finishing", "Reserved", "Unavailable", "Faulted"),
]
LEGAL = {(_ORDER["ABCDEFGHI".index(pair[0])], _ORDER[int(pair[1]) - 1]) for pair in _LEGAL.split(" ")}


def behaviours(scenario):
    for spec in layout(16, 5):
        yield spec, Behaviour(spec, SCENARIOS[scenario], seed=11)


def tell(behaviour, steps=STEPS):
    """Step by step, so that the states are those right after each step."""
    return (behaviour.step() for _ in range(steps))


def story(behaviour, steps=STEPS):
    return list(tell(behaviour, steps))


def test_the_same_seed_tells_the_same_story():
    spec = layout(3, 7)[2]
    one, same, other = (Behaviour(spec, SCENARIOS["busy"], seed) for seed in (7, 7, 8))
    assert story(one) == story(same)
    assert story(other) != story(Behaviour(spec, SCENARIOS["busy"], 7))
    assert one.rest() == same.rest()


def test_seed_seven_begins_as_it_always_did():
    first = Behaviour(layout(1, 7)[0], SCENARIOS["busy"], 7).step()
    assert round(first.delay.total_seconds(), 3) == 8.701
    assert first.actions == (Turn(Address(1, 1), ConnectorState.PREPARING),)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_turn_of_a_connector_is_legal_in_ocpp_16(scenario):
    for spec, behaviour in behaviours(scenario):
        states = dict.fromkeys(spec.reported, ConnectorState.FREE)
        for step in story(behaviour):
            for turn in step.actions:
                if isinstance(turn, Turn) and turn.address != STATION_LEVEL:
                    assert (states[turn.address].value, turn.state.value) in LEGAL
                    states[turn.address] = turn.state


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_one_car_at_most_stands_at_an_evse(scenario):
    for spec, behaviour in behaviours(scenario):
        for _ in range(STEPS):
            behaviour.step()
            for evse in spec.evses:
                assert sum(behaviour.states[connector] in IN_USE for connector in evse.connectors) <= 1


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_begins_while_the_station_is_out_of_service(scenario):
    out = 0
    for _, behaviour in behaviours(scenario):
        for _ in range(STEPS):
            down = behaviour.states.get(STATION_LEVEL, ConnectorState.FREE) is not ConnectorState.FREE
            step = behaviour.step()
            if down and not any(isinstance(turn, Turn) and turn.address == STATION_LEVEL for turn in step.actions):
                out += 1
                started = {turn.state for turn in step.actions if isinstance(turn, Turn)}
                assert not started & {ConnectorState.PREPARING, ConnectorState.CHARGING, ConnectorState.RESERVED}
    assert out > 0


def test_the_station_level_is_never_more_than_up_out_or_broken_and_201_tells_every_connector():
    seen = set()
    for spec, behaviour in behaviours("busy"):
        for step in tell(behaviour):
            turns = {turn.address: turn.state for turn in step.actions if isinstance(turn, Turn)}
            if STATION_LEVEL in turns:
                seen.add((spec.version, turns[STATION_LEVEL].value))
                if spec.version is Version.V201 and turns[STATION_LEVEL] is ConnectorState.UNAVAILABLE:
                    assert not IN_USE & set(behaviour.states.values())
                    assert ConnectorState.FREE not in {behaviour.states[one] for one in spec.connectors}
    assert seen == {
        (Version.V16, "Available"),
        (Version.V16, "Unavailable"),
        (Version.V16, "Faulted"),
        (Version.V201, "Available"),
        (Version.V201, "Unavailable"),
    }


def test_meters_are_read_only_while_a_car_charges():
    read = 0
    for _, behaviour in behaviours("busy"):
        for step in tell(behaviour):
            for action in step.actions:
                if isinstance(action, ReadMeter):
                    read += 1
                    assert behaviour.states[action.address] is ConnectorState.CHARGING
    assert read > 0


def test_delays_are_never_negative_and_network_losses_end():
    for _, behaviour in behaviours("outage"):
        for step in story(behaviour):
            assert step.delay >= timedelta()
            assert all(
                timedelta() < action.lasting < timedelta(minutes=1)
                for action in step.actions
                if isinstance(action, LoseNetwork | PowerCycle)
            )


@pytest.mark.parametrize(
    ("scenario", "kind", "per_hour"),
    [("calm", LoseNetwork, 1), ("outage", LoseNetwork, 100), ("restart", PowerCycle, 100)],
)
def test_scenarios_differ_in_what_happens_to_the_network(scenario, kind, per_hour):
    spec = layout(1, 7)[0]
    behaviour, elapsed, count = Behaviour(spec, SCENARIOS[scenario], 7), timedelta(), 0
    while elapsed < timedelta(hours=4):
        step = behaviour.step()
        elapsed += step.delay
        count += sum(isinstance(action, kind) for action in step.actions)
    assert count / 4 == pytest.approx(per_hour, rel=0.9)


def test_flapping_changes_a_status_several_times_in_a_second():
    spec = layout(1, 7)[0]
    behaviour, times, elapsed = Behaviour(spec, SCENARIOS["flapping"], 7), [], timedelta()
    for step in story(behaviour):
        elapsed += step.delay
        times += [elapsed for turn in step.actions if isinstance(turn, Turn) and turn.address == spec.connectors[0]]
    in_a_second = max(sum(start <= at < start + timedelta(seconds=1) for at in times) for start in times)
    assert in_a_second >= 4


def test_rest_makes_only_legal_changes_and_leaves_states_behind():
    kinds = set()
    for spec, behaviour in behaviours("busy"):
        story(behaviour, 100)
        before = dict(behaviour.states)
        for turn in behaviour.rest():
            assert (before[turn.address].value, turn.state.value) in LEGAL
            before[turn.address] = turn.state
        assert before == behaviour.states
        kinds |= {behaviour.states[connector] for connector in spec.connectors}
    assert len(kinds) >= 4
