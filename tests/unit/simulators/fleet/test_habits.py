import pytest

from simulators.fleet import station2x, station16
from simulators.fleet.behaviour import ConnectorState as State
from simulators.fleet.habits import Habits
from simulators.fleet.layout import STATION_LEVEL, Address, EvseSpec, StationSpec, Version
from simulators.fleet.wire import StatusMessage

FIRST, SECOND = Address(0, 1), Address(0, 2)
ALL = (STATION_LEVEL, FIRST, SECOND)


def habits(*quirks, version=Version.V16, dialect=station16.DIALECT):
    evse = EvseSpec("DE*ABC*E1", (FIRST, SECOND), "c", "p")
    return Habits(StationSpec("S1", version, "k" * 16, (evse,), quirks=frozenset(quirks)), dialect)


@pytest.mark.parametrize(
    ("station", "connector", "word"),
    [
        (State.FREE, State.CHARGING, "Preparing"),
        (State.FREE, State.FREE, "Available"),
        (State.FREE, State.RESERVED, "Available"),
        (State.FAULTED, State.CHARGING, "Faulted"),
        (State.UNAVAILABLE, State.PREPARING, "Unavailable"),
    ],
)
def test_connector_0_disagrees_only_while_a_car_is_there_and_nothing_is_wrong(station, connector, word):
    states = {STATION_LEVEL: station, FIRST: State.FREE, SECOND: connector}
    assert habits("connector-0-disagrees").word(STATION_LEVEL, states) == word
    assert habits().word(STATION_LEVEL, states) == station.value


def test_connector_0_is_told_before_the_connector_that_changed_it():
    one = habits("connector-0-disagrees")
    assert one.told_with(FIRST, ALL) == (STATION_LEVEL, FIRST)
    assert one.told_with(STATION_LEVEL, ALL) == (STATION_LEVEL,)
    assert habits().told_with(FIRST, ALL) == (FIRST,)


@pytest.mark.parametrize(
    ("address", "word", "before"),
    [
        (FIRST, "Unavailable", (StatusMessage(FIRST, "Available"),)),
        (FIRST, "Available", ()),
        (STATION_LEVEL, "Unavailable", ()),
    ],
)
def test_a_connector_blinks_available_before_any_other_word(address, word, before):
    assert habits("blink-available").before(address, word) == before
    assert habits("blink-available", version=Version.V21, dialect=station2x.DIALECT).before(address, word) == before
    assert habits().before(address, word) == ()


def test_a_trigger_for_all_means_connector_0_only_to_some():
    assert habits("trigger-only-connector-0").meant_by_trigger(ALL) == (STATION_LEVEL,)
    assert habits("trigger-only-connector-0").meant_by_trigger((FIRST,)) == (FIRST,)
    assert habits().meant_by_trigger(ALL) == ALL
