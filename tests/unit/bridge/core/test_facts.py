"""Facts: what reports leave behind. Expected values are written out from design's rules and OCPP's texts."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from bridge.core.facts import (
    after_boot,
    after_connector_status,
    after_loss,
    after_loss_charging,
    after_resync_ended,
    after_resync_ended_charging,
    after_resync_finished,
    after_status,
    after_transaction,
    car_present,
    evse_status,
)
from bridge.core.model import Charging, EvseStatus, Fact
from csms.events import (
    ChargingState,
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationId,
    StatusReported,
    TransactionPhase,
    TransactionReported,
)

T0 = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(seq: int) -> datetime:
    return T0 + timedelta(seconds=seq)


def status(word: str, *, evse: int = 0, connector: int = 1, **more: str) -> StatusReported:
    return StatusReported(StationId("CS1"), Epoch(1), OcppVersion.V16, evse, connector, ReportedStatus(word), **more)


def event(
    state: str | None,
    *,
    seq_no: int = 1,
    transaction: str = "tx1",
    phase: TransactionPhase = TransactionPhase.UPDATED,
    offline: bool = False,
    connector: int | None = 1,
) -> TransactionReported:
    return TransactionReported(
        StationId("CS1"),
        Epoch(1),
        OcppVersion.V201,
        1,
        connector,
        transaction,
        seq_no,
        phase,
        None if state is None else ChargingState(state),
        offline,
    )


def ended(seq_no: int = 9, **more: object) -> TransactionReported:
    return replace(event(None, seq_no=seq_no, phase=TransactionPhase.ENDED), **more)


def told(*events: TransactionReported, start: int = 1) -> Charging:
    charging: Charging | None = None
    for seq, one in enumerate(events, start):
        charging = after_transaction(charging, one, seq=seq, received_at=at(seq))
    assert charging is not None
    return charging


def reported(*words: str, connector: int = 1) -> Fact:
    fact: Fact | None = None
    for seq, word in enumerate(words, 1):
        fact = after_status(fact, status(word, connector=connector), seq=seq, received_at=at(seq))
    assert fact is not None
    return fact


# --- words ----------------------------------------------------------------------------------------------------------

WORDS = [
    ("Available", "available"),
    ("Preparing", "occupied"),
    ("Charging", "charging"),
    ("SuspendedEVSE", "occupied"),
    ("SuspendedEV", "occupied"),
    ("Finishing", "occupied"),
    ("Occupied", "occupied"),
    ("Reserved", "reserved"),
    ("Unavailable", "unavailable"),
    ("Faulted", "faulted"),
]


@pytest.mark.parametrize(("word", "expected"), WORDS, ids=[word for word, _ in WORDS])
def test_each_reported_word_means_one_status(word: str, expected: str) -> None:
    assert evse_status(ReportedStatus(word)) == EvseStatus(expected)


def test_every_word_of_the_standards_has_a_meaning() -> None:
    assert {word for word, _ in WORDS} == set(ReportedStatus)
    assert {word for word in ReportedStatus if car_present(word)} == {
        "Preparing",
        "Charging",
        "SuspendedEVSE",
        "SuspendedEV",
        "Finishing",
        "Occupied",
    }


# --- status reports -------------------------------------------------------------------------------------------------


def test_report_becomes_a_fact_with_our_sequence_and_time() -> None:
    report = status("Available", evse=2, connector=3, reported_at="1970-01-01T00:00:00Z")
    assert after_status(None, report, seq=7, received_at=at(7)) == Fact(2, 3, ReportedStatus.AVAILABLE, 7, at(7))


def test_error_code_beside_a_status_leaves_the_status() -> None:
    fact = after_status(None, status("Available", error_code="HighTemperature"), seq=1, received_at=at(1))
    assert fact.status == "Available"


@pytest.mark.parametrize("before", list(ReportedStatus))
@pytest.mark.parametrize("word", list(ReportedStatus))
def test_any_transition_is_taken(before: ReportedStatus, word: ReportedStatus) -> None:
    assert reported(before, word).status is word


def test_report_clears_every_doubt() -> None:
    doubted = structs.replace(reported("Available"), doubt=True, stale=True, boot_doubt=True)
    fact = after_status(doubted, status("Available"), seq=2, received_at=at(2))
    assert (fact.doubt, fact.stale, fact.boot_doubt) == (False, False, False)


VISITS = [
    (("Available", "Preparing"), None),
    (("Available", "Preparing", "Charging"), 3),
    (("Charging", "Charging"), 1),
    (("Charging", "SuspendedEV", "Charging"), 1),
    (("Charging", "SuspendedEVSE", "Finishing"), 1),
    (("Charging", "Finishing", "Preparing"), 1),
    (("Charging", "Occupied"), 1),
    (("Charging", "Available"), None),
    (("Charging", "Faulted", "Charging"), 3),
    (("Charging", "Unavailable", "Preparing"), None),
    (("Charging", "Reserved"), None),
    (("Occupied", "Occupied"), None),
]


@pytest.mark.parametrize(("words", "expected"), VISITS, ids=["-".join(words) for words, _ in VISITS])
def test_charging_from_is_the_first_charging_of_a_visit(words: tuple[str, ...], expected: int | None) -> None:
    assert reported(*words).charging_from == expected


# --- transactions ---------------------------------------------------------------------------------------------------


def test_live_event_sets_the_state() -> None:
    assert told(event("Charging")) == Charging(
        "tx1", 1, ChargingState.CHARGING, 1, at(1), ended=False, charging_from=1, connector=1
    )


@pytest.mark.parametrize("state", ["EVConnected", "SuspendedEV", "SuspendedEVSE", "Idle"])
def test_live_event_replaces_the_state(state: str) -> None:
    charging = told(event("Charging"), event(state, seq_no=2))
    assert (charging.state, charging.seq, charging.seq_no) == (state, 2, 2)


def test_event_without_charging_state_keeps_the_last_state_and_its_sequence() -> None:
    charging = told(event("Charging"), event(None, seq_no=2))
    assert (charging.state, charging.seq, charging.received_at, charging.seq_no) == ("Charging", 1, at(1), 2)


def test_offline_event_changes_only_the_record() -> None:
    charging = told(event("Charging", seq_no=1), event("SuspendedEV", seq_no=5, offline=True))
    assert (charging.state, charging.seq, charging.seq_no) == ("Charging", 1, 5)


def test_first_event_from_an_offline_queue_sets_no_state() -> None:
    charging = told(event("Charging", offline=True))
    assert (charging.state, charging.seq_no, charging.charging_from) == (None, 1, None)


def test_live_event_after_offline_ones_sets_the_state() -> None:
    assert told(event("Charging", seq_no=1, offline=True), event("SuspendedEV", seq_no=2)).state == "SuspendedEV"


def test_offline_end_is_recorded_and_leaves_the_state() -> None:
    charging = told(event("Charging"), ended(2, offline=True))
    assert (charging.state, charging.ended, charging.seq_no) == ("Charging", True, 2)


def test_offline_event_of_another_transaction_leaves_a_live_one_alone() -> None:
    live = told(event("Charging"))
    assert after_transaction(live, event("Idle", transaction="old", offline=True), seq=2, received_at=at(2)) == live


def test_offline_event_of_another_transaction_is_recorded_after_the_end() -> None:
    charging = told(event("Charging"), ended(2), event("Charging", transaction="tx2", offline=True))
    assert (charging.transaction, charging.state) == ("tx2", None)


def test_offline_event_of_another_transaction_is_recorded_after_an_offline_end() -> None:
    charging = told(event("Charging"), ended(2, offline=True), event("Charging", transaction="tx2", offline=True))
    assert (charging.transaction, charging.state) == ("tx2", None)


def test_event_older_than_one_already_seen_changes_only_the_record() -> None:
    charging = told(event("Charging", seq_no=5), event("Idle", seq_no=4))
    assert (charging.state, charging.seq_no, charging.seq) == ("Charging", 5, 1)


def test_repeated_event_changes_nothing_that_counts() -> None:
    once = told(event("Charging", seq_no=5))
    again = after_transaction(once, event("Charging", seq_no=5), seq=2, received_at=at(2))
    assert (again.state, again.seq_no, again.charging_from) == ("Charging", 5, 1)


def test_repeated_event_does_not_revive_a_state_that_a_status_cleared() -> None:
    cleared = after_connector_status(told(event("Charging", seq_no=5)), _available(seq=2))
    assert cleared is not None
    assert after_transaction(cleared, event("Charging", seq_no=5), seq=3, received_at=at(3)).state is None


def test_newer_event_after_a_status_sets_the_state_again() -> None:
    cleared = after_connector_status(told(event("Charging", seq_no=5)), _available(seq=2))
    assert cleared is not None
    assert after_transaction(cleared, event("Charging", seq_no=6), seq=3, received_at=at(3)).state == "Charging"


def test_end_clears_the_state() -> None:
    charging = told(event("Charging"), ended(2))
    assert (charging.state, charging.ended, charging.seq) == (None, True, 2)


def test_end_with_a_charging_state_clears_the_state_too() -> None:
    assert told(event("Charging"), ended(2, charging_state=ChargingState.EV_CONNECTED)).state is None
    assert told(ended(2, charging_state=ChargingState.CHARGING)).state is None


def test_event_of_a_finished_transaction_changes_only_the_record() -> None:
    charging = told(event("Charging"), ended(2), event("Charging", seq_no=3))
    assert (charging.state, charging.ended, charging.seq_no) == (None, True, 3)


def test_new_transaction_clears_the_state() -> None:
    charging = told(event("Charging", seq_no=7), event(None, seq_no=0, transaction="tx2"))
    assert (charging.transaction, charging.state, charging.seq_no, charging.charging_from) == ("tx2", None, 0, None)


def test_new_transaction_with_a_state_sets_it() -> None:
    charging = told(event("Charging"), event("EVConnected", seq_no=0, transaction="tx2"))
    assert (charging.transaction, charging.state) == ("tx2", "EVConnected")


def test_event_clears_the_doubt() -> None:
    doubted = after_loss_charging(told(event("Charging")))
    assert after_transaction(doubted, event("Charging", seq_no=2), seq=2, received_at=at(2)).doubt is False
    assert after_transaction(doubted, event(None, seq_no=2), seq=2, received_at=at(2)).doubt is False


def test_offline_event_leaves_the_doubt() -> None:
    doubted = after_loss_charging(told(event("Charging")))
    assert after_transaction(doubted, event("Charging", seq_no=2, offline=True), seq=2, received_at=at(2)).doubt


CHARGING_FROM = [
    (("EVConnected", "Charging", "SuspendedEV", "Charging"), 2),
    (("EVConnected", None, "SuspendedEV"), None),
    (("Charging", None, "EVConnected"), 1),
    (("Charging", "Idle"), None),
    (("Charging", "Idle", "Charging"), 3),
]


@pytest.mark.parametrize(("states", "expected"), CHARGING_FROM)
def test_charging_from_is_the_first_charging_of_the_transaction(
    states: tuple[str | None, ...], expected: int | None
) -> None:
    events = [event(state, seq_no=seq) for seq, state in enumerate(states, 1)]
    assert told(*events).charging_from == expected


def test_charging_from_outlives_the_end_until_the_car_leaves() -> None:
    finished = told(event("Charging"), ended(2))
    assert finished.charging_from == 1
    left = after_connector_status(finished, _available(seq=3))
    assert left is not None
    assert left.charging_from is None


# --- connector statuses beside a transaction ------------------------------------------------------------------------


def _available(*, seq: int, connector: int = 1, word: str = "Available") -> Fact:
    return Fact(1, connector, ReportedStatus(word), seq, at(seq))


@pytest.mark.parametrize("word", ["Available", "Reserved", "Unavailable", "Faulted"])
def test_later_connector_status_clears_the_state(word: str) -> None:
    after = after_connector_status(told(event("Charging")), _available(seq=2, word=word))
    assert after is not None
    assert (after.state, after.transaction, after.seq_no) == (None, "tx1", 1)


def test_later_occupied_keeps_the_state() -> None:
    charging = told(event("Charging"))
    assert after_connector_status(charging, _available(seq=2, word="Occupied")) == charging


def test_status_received_before_the_event_clears_nothing() -> None:
    charging = told(event("Charging"), start=5)
    assert after_connector_status(charging, _available(seq=4)) == charging


def test_status_of_another_connector_leaves_the_transaction_of_this_one() -> None:
    charging = told(event("Charging", connector=1))
    assert after_connector_status(charging, _available(seq=2, connector=2)) == charging


def test_status_of_any_connector_clears_a_transaction_that_named_none() -> None:
    after = after_connector_status(told(event("Charging", connector=None)), _available(seq=2, connector=2))
    assert after is not None
    assert after.state is None


@pytest.mark.parametrize("connector", [None, 1])
def test_report_about_the_whole_evse_clears_nothing(connector: int | None) -> None:
    charging = told(event("Charging", connector=connector))
    assert after_connector_status(charging, _available(seq=2, connector=0)) == charging


def test_no_transaction_stays_none() -> None:
    assert after_connector_status(None, _available(seq=1)) is None


# --- boot, resync, loss ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("connector", "word", "expected"),
    [
        (0, "Unavailable", True),
        (0, "Faulted", True),
        (0, "Occupied", True),
        (0, "Reserved", True),
        (0, "Available", False),
        (1, "Unavailable", False),
        (1, "Faulted", False),
    ],
)
def test_boot_puts_layer_0_downgrades_in_doubt(connector: int, word: str, expected: bool) -> None:
    assert after_boot(reported(word, connector=connector)).boot_doubt is expected


def test_downgrade_not_repeated_after_boot_is_dropped() -> None:
    assert after_resync_finished(after_boot(reported("Unavailable", connector=0))) is None


def test_downgrade_repeated_after_boot_stays() -> None:
    repeated = after_status(
        after_boot(reported("Unavailable", connector=0)),
        status("Unavailable", connector=0),
        seq=2,
        received_at=at(2),
    )
    assert after_resync_finished(repeated) == repeated


def test_what_nobody_asks_about_returns_stale_when_the_resync_finished() -> None:
    kept = after_resync_finished(after_loss(reported("Reserved", connector=0)))
    assert kept is not None
    assert (kept.doubt, kept.stale) == (False, True)


def test_known_fact_is_untouched_when_the_resync_finished() -> None:
    fact = reported("Available")
    assert after_resync_finished(fact) == fact


def test_loss_puts_in_doubt_and_an_ended_resync_returns_it_stale() -> None:
    lost = after_loss(reported("Available"))
    assert (lost.doubt, lost.stale) == (True, False)
    back = after_resync_ended(lost)
    assert (back.status, back.doubt, back.stale) == ("Available", False, True)


def test_loss_and_return_of_a_transaction() -> None:
    lost = after_loss_charging(told(event("Charging")))
    assert (lost.state, lost.doubt) == ("Charging", True)
    assert after_resync_ended_charging(lost).doubt is False


# --- random histories -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_only_live_events_of_the_running_transaction_ever_set_a_state(seed: int) -> None:
    rng = random.Random(seed)
    charging: Charging | None = None
    for seq in range(1, 120):
        if charging is not None and rng.random() < 0.2:
            charging = after_connector_status(charging, _available(seq=seq, word=rng.choice(["Available", "Occupied"])))
            continue
        one = replace(
            event(rng.choice(["Charging", "EVConnected", "Idle", None])),
            seq_no=rng.randrange(6),
            transaction=rng.choice(["a", "b"]),
            phase=rng.choice(list(TransactionPhase)),
            offline=rng.random() < 0.3,
        )
        before, charging = charging, after_transaction(charging, one, seq=seq, received_at=at(seq))
        if charging.seq == seq and charging.state is not None:
            assert not one.offline
            assert charging.state is one.charging_state
            assert not charging.ended
            if before is not None and before.transaction == one.transaction:
                assert not before.ended
                assert one.seq_no >= before.seq_no
        if before is not None and before.transaction == charging.transaction:
            assert charging.seq_no >= before.seq_no
            assert charging.ended >= before.ended
        if one.phase is TransactionPhase.ENDED and not one.offline and charging.seq == seq:
            assert charging.state is None
