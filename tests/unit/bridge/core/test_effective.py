"""Effective status: one test per rule, the vectors in full, and seeded random histories."""

import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from bridge.core.effective import EffectiveOptions, effective, stages
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

VECTORS = Path(__file__).parents[3] / "vectors"
PRECEDENCE = json.loads((VECTORS / "precedence.json").read_text(encoding="utf-8"))["rows"]
MAPPING = json.loads((VECTORS / "mapping.json").read_text(encoding="utf-8"))

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)
WALL = datetime(2031, 1, 1, tzinfo=UTC)
"""The wall clock of the tests is years away from the steady one: no rule may mix them."""
HOLD = EffectiveOptions(timedelta(seconds=2))
AT_ONCE = EffectiveOptions(timedelta(0))
LATER = timedelta(hours=1)


def moment(seconds: float = 0) -> Moment:
    return Moment(now=WALL + timedelta(seconds=seconds), steady=T0 + timedelta(seconds=seconds))


def fact(
    word: str, *, seq: int = 1, connector: int = 1, evse: int = 0, received: float = 0, **more: bool | int | None
) -> Fact:
    return Fact(evse, connector, ReportedStatus(word), seq, T0 + timedelta(seconds=received), **more)


def charging(state: str | None, *, seq: int = 1, received: float = 0, **more: bool | int | None) -> Charging:
    word = None if state is None else ChargingState(state)
    return Charging("tx", 1, word, seq, T0 + timedelta(seconds=received), **more)


def view(*connectors: Fact | None, **more: object) -> EvseView:
    return EvseView(connectors=connectors, **more)


def decided(seen: EvseView) -> str:
    """The answer once every hold has passed."""
    return effective(seen, NEVER_HEARD, moment(3600), HOLD).status


def live(status: str) -> Effective:
    return Effective(EvseStatus(status), EvseStatus(status), "before")


def temporary(kind: str, start: float = -1, end: float | None = None) -> Temporary:
    stop = None if end is None else WALL + timedelta(seconds=end)
    return Temporary(TemporaryKind(kind), WALL + timedelta(seconds=start), stop)


# --- the vectors ----------------------------------------------------------------------------------------------------

BY_AGGREGATE = {
    "available": "Available",
    "occupied": "Preparing",
    "charging": "Charging",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
    "faulted": "Faulted",
    "unknown": None,
}


@pytest.mark.parametrize(
    "row",
    PRECEDENCE,
    ids=[
        f"{r['aggregate']}-{'lost' if r['declared_unreachable'] else 'there'}-{'+'.join(r['temporary'])}"
        for r in PRECEDENCE
    ],
)
def test_precedence_vector(row: dict[str, object]) -> None:
    word = BY_AGGREGATE[str(row["aggregate"])]
    seen = view(
        None if word is None else fact(word),
        unreachable=bool(row["declared_unreachable"]),
        temporaries=tuple(temporary(kind) for kind in row["temporary"]),
    )
    assert decided(seen) == row["effective"]


def test_precedence_vectors_are_every_combination() -> None:
    assert len(PRECEDENCE) == 7 * 2 * 2**4


@pytest.mark.parametrize("row", MAPPING["ocpp16"], ids=[row["reported"] for row in MAPPING["ocpp16"]])
def test_ocpp16_vector(row: dict[str, str]) -> None:
    assert decided(view(fact(row["reported"]))) == row["effective"]


@pytest.mark.parametrize(
    "row", MAPPING["ocpp2"], ids=[f"{row['reported']}-{row['chargingState']}" for row in MAPPING["ocpp2"]]
)
def test_ocpp2_vector(row: dict[str, str]) -> None:
    transaction = charging(row["chargingState"], seq=2) if row["chargingState"] else None
    assert decided(view(fact(row["reported"], evse=1), charging=transaction)) == row["effective"]


# --- 1. the connectors by rank --------------------------------------------------------------------------------------

RANKED = ["Charging", "Occupied", "Reserved", "Available", "Unavailable", "Faulted", None]
RANKED_AS = ["charging", "occupied", "reserved", "available", "unavailable", "faulted", "unknown"]


@pytest.mark.parametrize("pair", list(itertools.product(range(7), repeat=2)))
def test_evse_is_its_highest_ranked_connector(pair: tuple[int, int]) -> None:
    words = [RANKED[index] for index in pair]
    connectors = [None if word is None else fact(word, connector=n) for n, word in enumerate(words, 1)]
    assert decided(view(*connectors)) == RANKED_AS[min(pair)]


def test_evse_never_heard_of_is_unknown_and_says_so() -> None:
    answer = effective(view(None, None), NEVER_HEARD, moment(), HOLD)
    assert answer == NEVER_HEARD


def test_evse_without_connectors_is_unknown() -> None:
    assert decided(view()) == "unknown"


def test_rule_names_the_connector_and_its_word() -> None:
    answer = effective(view(fact("Available"), fact("SuspendedEV", connector=2)), NEVER_HEARD, moment(), HOLD)
    assert answer.rule == "connector 2 reported SuspendedEV"


def test_rule_names_the_newest_of_connectors_that_are_alike() -> None:
    older, newer = fact("Charging", seq=3, connector=1), fact("Charging", seq=5, connector=2)
    for connectors in ((older, newer), (newer, older)):
        assert effective(view(*connectors), NEVER_HEARD, moment(), HOLD).rule == "connector 2 reported Charging"


def test_longest_rule_is_cut() -> None:
    level = fact("Occupied", evse=2**31, connector=0, stale=True, boot_doubt=True)
    seen = view(None, evse_level=level, charging=charging("Charging"), temporaries=(temporary("COMMISSIONING"),))
    rule = effective(seen, NEVER_HEARD, moment(), HOLD).rule
    assert rule.startswith("temporary COMMISSIONING in force; live is charging: the transaction is Charging; EVSE 2147")
    assert len(rule) == 200


# --- transactions ---------------------------------------------------------------------------------------------------

LIFTS = [
    ("Available", "Charging", "charging"),
    ("Available", "EVConnected", "occupied"),
    ("Available", "SuspendedEV", "occupied"),
    ("Available", "SuspendedEVSE", "occupied"),
    ("Available", "Idle", "available"),
    ("Available", None, "available"),
    ("Occupied", "Charging", "charging"),
    ("Occupied", "EVConnected", "occupied"),
    ("Occupied", "Idle", "occupied"),
    ("Reserved", "Charging", "reserved"),
    ("Reserved", "EVConnected", "reserved"),
    ("Unavailable", "Charging", "unavailable"),
    ("Unavailable", "SuspendedEV", "unavailable"),
    ("Faulted", "Charging", "faulted"),
    ("Faulted", "EVConnected", "faulted"),
]


@pytest.mark.parametrize(("word", "state", "expected"), LIFTS)
def test_transaction_lifts_available_and_occupied_only(word: str, state: str | None, expected: str) -> None:
    assert decided(view(fact(word, evse=1), charging=charging(state, seq=2))) == expected


@pytest.mark.parametrize(
    ("state", "expected"), [("Charging", "charging"), ("EVConnected", "occupied"), ("Idle", "unknown")]
)
def test_transaction_on_a_connector_never_heard_of_proves_a_car(state: str, expected: str) -> None:
    assert decided(view(None, charging=charging(state))) == expected


def test_live_transaction_proves_a_car_while_its_connector_is_in_doubt() -> None:
    assert decided(view(fact("Available", evse=1, doubt=True), charging=charging("Charging", seq=2))) == "charging"


def test_transaction_in_doubt_lifts_nothing() -> None:
    assert decided(view(fact("Available", evse=1), charging=charging("Charging", seq=2, doubt=True))) == "available"


def test_transaction_of_an_unreachable_station_lifts_nothing() -> None:
    assert decided(view(fact("Occupied", evse=1), charging=charging("Charging", seq=2), unreachable=True)) == "unknown"


def test_end_of_a_transaction_does_not_free_an_occupied_connector() -> None:
    assert decided(view(fact("Occupied", evse=1), charging=charging(None, seq=2, ended=True))) == "occupied"


# --- 2. layer 0 -----------------------------------------------------------------------------------------------------

DOWNGRADES = [
    ("Available", "Unavailable", "unavailable"),
    ("Available", "Faulted", "faulted"),
    ("Available", "Available", "available"),
    ("Preparing", "Unavailable", "unavailable"),
    ("Preparing", "Faulted", "faulted"),
    ("Reserved", "Unavailable", "unavailable"),
    ("Unavailable", "Faulted", "faulted"),
    ("Unavailable", "Available", "unavailable"),
    ("Faulted", "Unavailable", "faulted"),
    ("Faulted", "Available", "faulted"),
    (None, "Unavailable", "unavailable"),
    (None, "Faulted", "faulted"),
    (None, "Available", "unknown"),
]


@pytest.mark.parametrize(("word", "level", "expected"), DOWNGRADES)
def test_station_level_downgrades_and_never_upgrades(word: str | None, level: str, expected: str) -> None:
    for seq in (1, 9):
        connector = None if word is None else fact(word, seq=seq)
        assert decided(view(connector, station_level=fact(level, seq=5, connector=0))) == expected


def test_layer0_is_a_downgrade_unless_the_station_is_set_otherwise() -> None:
    assert view().layer0 is Layer0.DOWNGRADE


@pytest.mark.parametrize("level", ["Unavailable", "Faulted", "Available", "Occupied"])
def test_layer0_ignored_changes_nothing(level: str) -> None:
    both = {
        "station_level": fact(level, seq=9, connector=0),
        "evse_level": fact(level, seq=9, connector=0, evse=1),
        "layer0": Layer0.IGNORE,
    }
    assert decided(view(fact("Reserved"), **both)) == "reserved"
    assert decided(view(None, **both)) == "unknown"


OUTRANKS = [
    pytest.param("Charging", 7, "charging", id="began after it"),
    pytest.param("SuspendedEV", 7, "occupied", id="began after it and stands there still"),
    pytest.param("Charging", 3, "unavailable", id="began before it"),
    pytest.param("Preparing", None, "unavailable", id="never charged"),
    pytest.param("Available", None, "unavailable", id="left: the old downgrade applies again"),
]


@pytest.mark.parametrize(("word", "charging_from", "expected"), OUTRANKS)
def test_car_that_began_to_charge_after_the_downgrade_outranks_it(
    word: str, charging_from: int | None, expected: str
) -> None:
    connector = fact(word, seq=8, charging_from=charging_from)
    assert decided(view(connector, station_level=fact("Unavailable", seq=5, connector=0))) == expected


def test_transaction_that_began_to_charge_after_the_downgrade_outranks_it() -> None:
    level = fact("Unavailable", seq=5, connector=0)
    occupied = fact("Occupied", seq=1, evse=1)
    assert (
        decided(view(occupied, charging=charging("Charging", seq=7, charging_from=7), station_level=level))
        == "charging"
    )
    assert (
        decided(view(occupied, charging=charging("Charging", seq=7, charging_from=3), station_level=level))
        == "unavailable"
    )


def test_car_outranks_the_downgrade_after_its_transaction_until_it_leaves() -> None:
    level = fact("Unavailable", seq=5, connector=0)
    over = charging(None, seq=9, ended=True, charging_from=7)
    assert decided(view(fact("Occupied", seq=1, evse=1), charging=over, station_level=level)) == "occupied"
    assert decided(view(fact("Available", seq=1, evse=1), charging=over, station_level=level)) == "unavailable"
    assert decided(view(None, charging=over, station_level=level)) == "unavailable"


def test_car_in_doubt_beside_a_free_connector_does_not_outrank_the_downgrade() -> None:
    connectors = (fact("Charging", seq=7, charging_from=7, doubt=True), fact("Available", seq=8, connector=2))
    assert decided(view(*connectors, station_level=fact("Unavailable", seq=5, connector=0))) == "unavailable"


def test_car_that_outranked_the_downgrade_is_unknown_once_the_station_is_lost() -> None:
    connector = fact("Charging", seq=7, charging_from=7, doubt=True)
    level = fact("Unavailable", seq=5, connector=0, doubt=True)
    assert decided(view(connector, station_level=level, unreachable=True)) == "unknown"


def test_each_level_is_outranked_by_its_own_sequence() -> None:
    connector = fact("Charging", seq=7, charging_from=7)
    levels = {
        "station_level": fact("Unavailable", seq=5, connector=0),
        "evse_level": fact("Faulted", seq=8, connector=0, evse=1),
    }
    assert decided(view(connector, **levels)) == "faulted"


def test_downgrade_still_counts_after_a_boot_until_it_is_dropped() -> None:
    level = fact("Unavailable", connector=0, boot_doubt=True)
    answer = effective(view(fact("Available"), station_level=level), NEVER_HEARD, moment(), HOLD)
    assert answer.status == "unavailable"
    assert answer.rule == "the station as a whole reported Unavailable (before its boot, not repeated yet)"


SOURCES = [
    ("Available", 1, "Unavailable", 2, "unavailable"),
    ("Available", 2, "Unavailable", 1, "available"),
    ("Faulted", 1, "Available", 2, "available"),
    ("Faulted", 2, "Available", 1, "faulted"),
    ("Charging", 1, "Available", 2, "available"),
    (None, 0, "Available", 1, "available"),
    (None, 0, "Faulted", 1, "faulted"),
]


@pytest.mark.parametrize(("word", "seq", "level", "level_seq", "expected"), SOURCES)
def test_source_counts_as_if_every_connector_had_reported_it(
    word: str | None, seq: int, level: str, level_seq: int, expected: str
) -> None:
    connector = None if word is None else fact(word, seq=seq)
    seen = view(connector, station_level=fact(level, seq=level_seq, connector=0), layer0=Layer0.SOURCE)
    assert decided(seen) == expected


def test_source_is_overtaken_connector_by_connector() -> None:
    connectors = (fact("Faulted", seq=1), fact("Faulted", seq=3, connector=2))
    level = fact("Unavailable", seq=2, connector=0)
    assert decided(view(*connectors, station_level=level, layer0=Layer0.SOURCE)) == "unavailable"
    assert decided(view(connectors[1], station_level=level, layer0=Layer0.SOURCE)) == "faulted"


def test_source_clears_an_older_transaction_as_a_connector_would() -> None:
    level = fact("Available", seq=5, connector=0)
    seen = view(fact("Occupied", seq=1, evse=1), station_level=level, layer0=Layer0.SOURCE)
    assert decided(replace(seen, charging=charging("Charging", seq=2))) == "available"
    assert decided(replace(seen, charging=charging("Charging", seq=6))) == "charging"


EVSE_LEVELS = [
    ("Available", "Occupied", "occupied"),
    ("Available", "Reserved", "reserved"),
    ("Available", "Unavailable", "unavailable"),
    ("Available", "Faulted", "faulted"),
    ("Available", "Available", "available"),
    ("Occupied", "Reserved", "occupied"),
    ("Occupied", "Available", "occupied"),
    ("Reserved", "Occupied", "reserved"),
    ("Reserved", "Available", "reserved"),
    ("Faulted", "Occupied", "faulted"),
    ("Unavailable", "Reserved", "unavailable"),
    (None, "Occupied", "occupied"),
    (None, "Reserved", "reserved"),
    (None, "Available", "available"),
    (None, "Unavailable", "unavailable"),
    (None, "Faulted", "faulted"),
]


@pytest.mark.parametrize(("word", "level", "expected"), EVSE_LEVELS)
def test_evse_level_downgrades_and_is_the_source_where_no_connector_was_heard(
    word: str | None, level: str, expected: str
) -> None:
    connector = None if word is None else fact(word, evse=1)
    assert decided(view(connector, evse_level=fact(level, seq=2, connector=0, evse=1))) == expected


def test_evse_level_and_station_level_both_apply() -> None:
    levels = {
        "evse_level": fact("Unavailable", connector=0, evse=1),
        "station_level": fact("Faulted", connector=0),
    }
    assert decided(view(fact("Available", evse=1), **levels)) == "faulted"
    levels["evse_level"], levels["station_level"] = (
        fact("Faulted", connector=0, evse=1),
        fact("Unavailable", connector=0),
    )
    assert decided(view(fact("Available", evse=1), **levels)) == "faulted"


def test_transaction_does_not_lift_a_reserved_evse_level() -> None:
    level = fact("Reserved", connector=0, evse=1)
    assert decided(view(fact("Available", evse=1), evse_level=level, charging=charging("EVConnected"))) == "reserved"


def test_transaction_lifts_an_occupied_evse_level() -> None:
    level = fact("Occupied", connector=0, evse=1)
    assert decided(view(fact("Available", evse=1), evse_level=level, charging=charging("Charging"))) == "charging"
    assert decided(view(None, evse_level=level, charging=charging("Charging"))) == "charging"


# --- 3. unreachable and doubt ---------------------------------------------------------------------------------------

UNDER_DOUBT = [
    ("Available", "unknown"),
    ("Preparing", "unknown"),
    ("Charging", "unknown"),
    ("Occupied", "unknown"),
    ("Reserved", "unknown"),
    ("Unavailable", "unavailable"),
    ("Faulted", "faulted"),
]


@pytest.mark.parametrize(("word", "expected"), UNDER_DOUBT)
def test_unreachable_and_doubt_leave_only_what_promises_nothing(word: str, expected: str) -> None:
    assert decided(view(fact(word), unreachable=True)) == expected
    assert decided(view(fact(word, doubt=True))) == expected
    assert decided(view(None, evse_level=fact(word, connector=0, evse=1, doubt=True))) == expected
    assert decided(view(None, station_level=fact(word, connector=0, doubt=True), layer0=Layer0.SOURCE)) == expected


def test_downgrade_in_doubt_stays() -> None:
    level = fact("Unavailable", connector=0, doubt=True)
    assert decided(view(fact("Available"), station_level=level)) == "unavailable"


@pytest.mark.parametrize("word", ["Occupied", "Reserved"])
def test_evse_level_in_doubt_takes_nothing_away(word: str) -> None:
    level = fact(word, connector=0, evse=1, doubt=True)
    assert decided(view(fact("Available", evse=1), evse_level=level)) == "available"


def test_connector_that_reported_again_counts_while_the_other_is_in_doubt() -> None:
    assert decided(view(fact("Available", doubt=True), fact("Charging", seq=9, connector=2))) == "charging"


def test_stale_value_counts_as_before_and_says_so() -> None:
    answer = effective(view(fact("Occupied", stale=True)), NEVER_HEARD, moment(), HOLD)
    assert answer.status == "occupied"
    assert answer.rule == "connector 1 reported Occupied (last known, not confirmed since the reconnect)"


def test_rule_tells_the_three_kinds_of_unknown_apart() -> None:
    def rule(seen: EvseView) -> str:
        return effective(seen, NEVER_HEARD, moment(), HOLD).rule

    assert rule(view(None)) == "never heard of"
    assert rule(view(fact("Available"), unreachable=True)) == (
        "the station is declared unreachable; before that connector 1 reported Available"
    )
    assert rule(view(fact("Available", doubt=True))) == "not heard of since the station was declared unreachable"


# --- 4. the hold ----------------------------------------------------------------------------------------------------


def test_hold_is_two_seconds_unless_set_otherwise() -> None:
    assert EffectiveOptions().available_hold == timedelta(seconds=2)


@pytest.mark.parametrize("before", ["occupied", "charging", "reserved", "unavailable", "faulted", "unknown"])
def test_available_counts_only_after_it_has_stood(before: str) -> None:
    seen = view(fact("Available"))
    held = effective(seen, live(before), moment(), HOLD)
    assert (held.status, held.live) == (before, before)
    assert held.available_since == T0
    assert held.until_steady == T0 + timedelta(seconds=2)
    still = effective(seen, held, moment(1.999999), HOLD)
    assert still == held
    free = effective(seen, still, moment(2), HOLD)
    assert (free.status, free.live, free.available_since, free.until_steady) == ("available", "available", None, None)


def test_hold_runs_from_the_receipt_of_the_report() -> None:
    held = effective(view(fact("Available", received=0)), live("occupied"), moment(1.5), HOLD)
    assert held.available_since == T0
    assert held.until_steady == T0 + timedelta(seconds=2)


def test_rule_of_a_held_status_names_what_is_coming() -> None:
    held = effective(view(fact("Available")), live("occupied"), moment(), HOLD)
    assert held.rule == "occupied held until available has stood; connector 1 reported Available"


@pytest.mark.parametrize("word", ["Preparing", "Charging", "Reserved", "Unavailable", "Faulted"])
@pytest.mark.parametrize(
    "before", ["available", "occupied", "charging", "reserved", "unavailable", "faulted", "unknown"]
)
def test_every_other_change_counts_at_once(word: str, before: str) -> None:
    answer = effective(view(fact(word)), live(before), moment(), HOLD)
    assert answer.status == {"Preparing": "occupied"}.get(word, word.lower())
    assert answer.until_steady is None


def test_available_that_stays_is_not_held_again() -> None:
    answer = effective(view(fact("Available", received=0)), live("available"), moment(), HOLD)
    assert (answer.status, answer.available_since) == ("available", None)


def test_blink_of_available_is_never_seen() -> None:
    held = effective(view(fact("Available", seq=1)), live("unavailable"), moment(), HOLD)
    after = effective(view(fact("Unavailable", seq=2, received=1)), held, moment(1), HOLD)
    assert (after.status, after.available_since, after.until_steady) == ("unavailable", None, None)


def test_change_during_the_hold_resets_it() -> None:
    held = effective(view(fact("Available", seq=1)), live("occupied"), moment(), HOLD)
    faulted = effective(view(fact("Faulted", seq=2, received=1)), held, moment(1), HOLD)
    assert faulted.status == "faulted"
    again = effective(view(fact("Available", seq=3, received=1.5)), faulted, moment(1.5), HOLD)
    assert (again.status, again.until_steady) == ("faulted", T0 + timedelta(seconds=3.5))


def test_repeated_available_does_not_prolong_the_hold() -> None:
    held = effective(view(fact("Available", seq=1)), live("occupied"), moment(), HOLD)
    again = effective(view(fact("Available", seq=2, received=1)), held, moment(1), HOLD)
    assert again.until_steady == T0 + timedelta(seconds=2)


def test_dropped_layer_0_frees_only_after_a_hold_from_that_moment() -> None:
    answer = effective(view(fact("Available", received=0)), live("unavailable"), moment(3600), HOLD)
    assert (answer.status, answer.available_since) == ("unavailable", T0 + LATER)
    assert effective(view(fact("Available")), answer, moment(3602), HOLD).status == "available"


def test_ended_resync_frees_only_after_a_hold_from_that_moment() -> None:
    lost = effective(view(fact("Available", doubt=True)), live("unknown"), moment(3600), HOLD)
    assert lost.until_steady is None
    back = effective(view(fact("Available", stale=True)), lost, moment(3601), HOLD)
    assert (back.status, back.available_since) == ("unknown", T0 + timedelta(seconds=3601))
    assert effective(view(fact("Available", stale=True)), back, moment(3603), HOLD).status == "available"


def test_withdrawn_layer_0_frees_after_a_hold_from_its_withdrawal() -> None:
    level = fact("Available", seq=9, connector=0, received=3600)
    answer = effective(
        view(fact("Available", received=0), station_level=level), live("unavailable"), moment(3600), HOLD
    )
    assert answer.until_steady == T0 + timedelta(seconds=3602)


def test_end_of_a_transaction_on_a_connector_that_says_available_is_held() -> None:
    over = charging(None, seq=9, received=3600, ended=True)
    answer = effective(view(fact("Available", evse=1), charging=over), live("charging"), moment(3600), HOLD)
    assert (answer.status, answer.until_steady) == ("charging", T0 + timedelta(seconds=3602))


def test_no_hold_where_it_is_set_to_zero() -> None:
    assert effective(view(fact("Available")), live("occupied"), moment(), AT_ONCE).status == "available"


def test_hold_that_began_in_a_future_that_the_clock_lost_is_no_longer_than_the_hold() -> None:
    before = replace(live("occupied"), available_since=T0 + LATER)
    answer = effective(view(fact("Available")), before, moment(), HOLD)
    assert answer.until_steady == T0 + timedelta(seconds=2)


def test_loss_during_the_hold_counts_at_once() -> None:
    held = effective(view(fact("Available")), live("occupied"), moment(), HOLD)
    assert effective(view(fact("Available"), unreachable=True), held, moment(1), HOLD).status == "unknown"


# --- temporary statuses ---------------------------------------------------------------------------------------------


def test_temporary_status_is_in_force_from_its_begin_inclusive_to_its_end_exclusive() -> None:
    seen = view(fact("Available"), temporaries=(temporary("BLOCKED", 10, 20),))
    expected = {9.999999: "available", 10: "blocked", 19.999999: "blocked", 20: "available"}
    for seconds, status in expected.items():
        assert effective(seen, live("available"), moment(seconds), HOLD).status == status


def test_until_is_the_next_begin_or_end() -> None:
    seen = view(fact("Available"), temporaries=(temporary("BLOCKED", 10, 20), temporary("MAINTENANCE", 15)))
    expected = {0: 10, 10: 15, 15: 20, 20: None}
    for seconds, until in expected.items():
        at = None if until is None else WALL + timedelta(seconds=until)
        assert effective(seen, live("available"), moment(seconds), HOLD).until_now == at


def test_temporary_status_that_never_begins_is_nothing() -> None:
    seen = view(fact("Available"), temporaries=(temporary("MAINTENANCE", 20, 10),))
    answer = effective(seen, live("available"), moment(15), HOLD)
    assert (answer.status, answer.until_now) == ("available", None)


def test_begin_and_end_take_effect_at_once_and_without_a_hold() -> None:
    seen = view(fact("Available"), temporaries=(temporary("MAINTENANCE", 10, 20),))
    begun = effective(seen, live("available"), moment(10), HOLD)
    assert (begun.status, begun.live) == ("maintenance", "available")
    over = effective(seen, begun, moment(20), HOLD)
    assert (over.status, over.until_steady) == ("available", None)


def test_hold_goes_on_underneath_a_temporary_status() -> None:
    seen = view(fact("Available"), temporaries=(temporary("MAINTENANCE"),))
    held = effective(seen, live("occupied"), moment(), HOLD)
    assert (held.status, held.live, held.until_steady) == ("maintenance", "occupied", T0 + timedelta(seconds=2))
    assert effective(replace(seen, temporaries=()), held, moment(1), HOLD).status == "occupied"
    assert effective(seen, held, moment(2), HOLD).live == "available"


def test_rule_names_the_temporary_status_and_what_lies_underneath() -> None:
    answer = effective(view(fact("Faulted"), temporaries=(temporary("BLOCKED"),)), NEVER_HEARD, moment(), HOLD)
    assert answer.rule == "temporary BLOCKED in force; live is faulted: connector 1 reported Faulted"


# --- random histories -----------------------------------------------------------------------------------------------


def random_fact(rng: random.Random, now: float, seq: int, connector: int, evse: int = 1) -> Fact | None:
    if rng.random() < 0.15:
        return None
    word = rng.choice(list(ReportedStatus))
    at_car = word in {"Charging", "Finishing", "SuspendedEV", "Occupied"}
    return fact(
        word,
        seq=rng.randrange(1, seq + 1),
        connector=connector,
        evse=evse,
        received=now - rng.choice([0, 0, 1, 5]),
        doubt=rng.random() < 0.2,
        charging_from=rng.randrange(1, seq + 1) if at_car and rng.random() < 0.5 else None,
        boot_doubt=connector == 0 and rng.random() < 0.2,
    )


def random_view(rng: random.Random, now: float, seq: int) -> EvseView:
    temporaries = tuple(
        temporary(rng.choice(list(TemporaryKind)), now + rng.choice([-2, 0, 1, 3]), now + rng.choice([1, 2, 4]))
        for _ in range(rng.choice([0, 0, 1, 2]))
    )
    return EvseView(
        connectors=tuple(random_fact(rng, now, seq, n) for n in range(1, rng.choice([2, 3]))),
        evse_level=random_fact(rng, now, seq, 0) if rng.random() < 0.3 else None,
        station_level=random_fact(rng, now, seq, 0, evse=0) if rng.random() < 0.3 else None,
        charging=charging(rng.choice([None, *ChargingState]), seq=rng.randrange(1, seq + 1), received=now - 5)
        if rng.random() < 0.4
        else None,
        unreachable=rng.random() < 0.1,
        layer0=rng.choice(list(Layer0)),
        temporaries=temporaries,
    )


def history(seed: int) -> list[tuple[EvseView, Effective, float, Effective]]:
    """Views, previous answers, seconds and answers of one seeded life of an EVSE."""
    rng = random.Random(seed)
    steps, previous, now = [], NEVER_HEARD, 100.0
    seen = random_view(rng, now, 1)
    for seq in range(2, 120):
        if rng.random() < 0.6:
            seen = random_view(rng, now, seq)
        answer = effective(seen, previous, moment(now), HOLD)
        steps.append((seen, previous, now, answer))
        previous, now = answer, now + rng.choice([0, 0.3, 1, 2.5])
    return steps


SEEDS = pytest.mark.parametrize("seed", range(25))


@SEEDS
def test_deciding_again_at_the_same_moment_changes_nothing(seed: int) -> None:
    for seen, _, now, answer in history(seed):
        assert effective(seen, answer, moment(now), HOLD) == answer


@SEEDS
def test_nothing_changes_before_until(seed: int) -> None:
    tiny = timedelta(microseconds=1)
    for seen, _, now, answer in history(seed):
        waits = [timedelta(hours=9)]
        waits += [] if answer.until_now is None else [answer.until_now - WALL - timedelta(seconds=now)]
        waits += [] if answer.until_steady is None else [answer.until_steady - T0 - timedelta(seconds=now)]
        assert min(waits) > timedelta(0)
        before = moment(now + (min(waits) - tiny).total_seconds())
        assert effective(seen, answer, before, HOLD) == answer


@SEEDS
def test_end_of_a_hold_makes_live_available(seed: int) -> None:
    for seen, _, now, answer in history(seed):
        if answer.until_steady is not None:
            assert answer.live is not EvseStatus.AVAILABLE
            at = Moment(now=WALL + timedelta(seconds=now), steady=answer.until_steady)
            after = effective(seen, answer, at, HOLD)
            assert (after.live, after.until_steady) == ("available", None)


@SEEDS
def test_available_is_never_published_without_a_report_that_says_so(seed: int) -> None:
    for seen, _, _, answer in history(seed):
        if answer.status is EvseStatus.AVAILABLE:
            sources = [*seen.connectors, seen.evse_level, seen.station_level]
            assert any(one is not None and one.status == "Available" and not one.doubt for one in sources)
            assert not seen.unreachable


@SEEDS
def test_available_is_never_published_over_a_standing_downgrade(seed: int) -> None:
    for seen, _, _, answer in history(seed):
        if answer.status is EvseStatus.AVAILABLE and seen.layer0 is Layer0.DOWNGRADE:
            levels = [one.status for one in (seen.evse_level, seen.station_level) if one is not None]
            assert "Unavailable" not in levels
            assert "Faulted" not in levels


@SEEDS
def test_unreachable_station_promises_nothing(seed: int) -> None:
    for seen, _, _, answer in history(seed):
        if seen.unreachable:
            assert answer.live in {"unknown", "unavailable", "faulted"}


@SEEDS
def test_rule_is_short_and_never_empty(seed: int) -> None:
    for _, _, _, answer in history(seed):
        assert 0 < len(answer.rule) <= 200


def test_lost_station_with_a_free_and_a_faulted_connector_is_unknown_since_its_evse_was_available() -> None:
    both = view(fact("Available", connector=1), fact("Faulted", connector=2, seq=2))
    lost = view(fact("Available", connector=1), fact("Faulted", connector=2, seq=2), unreachable=True)
    assert effective(both, NEVER_HEARD, moment(), AT_ONCE).live == "available"
    assert effective(lost, NEVER_HEARD, moment(), AT_ONCE).live == "unknown"


# --- the short way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer0", list(Layer0))
@pytest.mark.parametrize("marks", list(itertools.product([False, True], repeat=3)), ids=str)
def test_what_one_connector_decides_is_what_every_step_comes_to(layer0: Layer0, marks: tuple[bool, bool, bool]) -> None:
    doubt, stale, boot_doubt = marks
    levels = [None, *(fact(word, connector=0, seq=7) for word in ("Available", "Occupied", "Reserved", "Faulted"))]
    befores = [NEVER_HEARD, live("available"), live("charging"), live("faulted")]
    seconds = [0.0, 1.5, 3600.0]
    reports = [fact(word, seq=5, doubt=doubt, stale=stale, boot_doubt=boot_doubt) for word in ReportedStatus]
    cases = itertools.product(reports, levels, levels, befores, seconds)
    for report, evse_level, station_level, before, later in cases:
        seen = view(report, evse_level=evse_level, station_level=station_level, layer0=layer0)
        assert effective(seen, before, moment(later), HOLD) == stages(seen, before, moment(later), HOLD).decided


@pytest.mark.parametrize(
    "more",
    [
        {"charging": charging("Charging", seq=6)},
        {"unreachable": True},
        {"temporaries": (Temporary(TemporaryKind.MAINTENANCE, WALL, None),)},
        {"kept_until": T0 + LATER},
    ],
    ids=lambda more: next(iter(more)),
)
@pytest.mark.parametrize("word", list(ReportedStatus))
def test_what_else_counts_is_not_passed_over(word: str, more: dict[str, object]) -> None:
    seen = view(fact(word, seq=5), **more)
    for before in (NEVER_HEARD, live("available"), live("charging")):
        assert effective(seen, before, moment(1), HOLD) == stages(seen, before, moment(1), HOLD).decided
