from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from msgspec import structs

from bridge.core import full_load
from bridge.core.full_load import (
    Census,
    Decision,
    FullLoadOptions,
    FullLoadPolicy,
    FullLoadSettled,
    Gate,
    Go,
    Guarded,
    Singles,
    Want,
)
from bridge.core.model import Accepted, Deferred, FullLoadState, Held, Lane, Moment, Outcome, Refused, WrongAction
from bridge.core.nightly import Nightly, next_nightly
from bridge.core.settlement import full_load_in_time

NIGHTLY = Nightly(time(2, 30), zone="Europe/Berlin")
AUTO = FullLoadOptions(policy=FullLoadPolicy.AUTO, nightly=NIGHTLY)
T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
NEXT = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
LOADED = FullLoadState(confirmed=True, accepted_at=T0, attempted_at=T0, size=100, next_w=NEXT)
ALL = Census(total=100, reported=100, dirty=0)
TIMED_OUT = Deferred("timeout", in_doubt=True)


def moment(seconds: float) -> Moment:
    return Moment(now=T0 + timedelta(seconds=seconds), steady=T0 + timedelta(seconds=seconds))


def decide(state: FullLoadState, census: Census = ALL, *, at: float = 0.0, options: FullLoadOptions = AUTO) -> Decision:
    return full_load.decide(state, census, at=moment(at), lane_opened_at=T0, options=options)


def attempt(
    state: FullLoadState, outcome: Outcome, *, at: float, took: float = 0.0, size: int = 100
) -> FullLoadSettled:
    begun = full_load.begin(full_load.schedule(state, moment(at), AUTO), moment(at))
    return full_load.settle(begun, outcome, size=size, at=moment(at + took), options=AUTO)


# --- policy and the first one


@pytest.mark.parametrize(
    ("policy", "confirmed", "goes"),
    [
        pytest.param(FullLoadPolicy.NEVER, True, False, id="never, whatever was confirmed"),
        pytest.param(FullLoadPolicy.CONFIRMED, False, False, id="not confirmed"),
        pytest.param(FullLoadPolicy.CONFIRMED, True, True, id="confirmed"),
        pytest.param(FullLoadPolicy.AUTO, False, True, id="auto needs no yes"),
    ],
)
def test_the_first_goes_only_where_policy_and_operator_allow_it(
    policy: FullLoadPolicy, confirmed: bool, goes: bool
) -> None:
    state = FullLoadState(confirmed=confirmed, wanted="first")
    expected = Go(Want.FIRST) if goes else Singles()
    assert decide(state, options=replace(AUTO, policy=policy)) == expected


@pytest.mark.parametrize(
    ("reported", "at", "expected"),
    [
        pytest.param(89, 0, Gate(T0 + timedelta(minutes=10)), id="below 90 %: nothing goes out"),
        pytest.param(90, 0, Go(Want.FIRST), id="90 % have reported"),
        pytest.param(0, 599, Gate(T0 + timedelta(minutes=10)), id="just before 10 min"),
        pytest.param(0, 600, Go(Want.FIRST), id="10 min have passed"),
    ],
)
def test_the_first_waits_for_most_reports_or_ten_minutes(reported: int, at: float, expected: Decision) -> None:
    assert decide(FullLoadState(), Census(total=100, reported=reported, dirty=100), at=at) == expected


def test_an_operators_request_does_not_wait_for_reports() -> None:
    assert decide(FullLoadState(wanted="request"), Census(100, 0, 100)) == Go(Want.REQUEST)


def test_nothing_goes_out_while_one_is_in_flight() -> None:
    assert isinstance(decide(full_load.begin(FullLoadState(), moment(0)), at=1), Gate)


# --- after acceptance


def test_an_accepted_one_is_followed_by_single_pushes_until_the_next_night() -> None:
    settled = attempt(FullLoadState(), Accepted(), at=0, took=5, size=97)
    assert (settled.omit, settled.give_up) == ((), False)
    assert (settled.state.size, settled.state.accepted_at) == (97, T0 + timedelta(seconds=5))
    assert (settled.state.wanted, settled.state.gate_since, settled.state.in_flight) == (None, None, False)
    assert decide(settled.state, at=6) == Singles(T0 + timedelta(seconds=905), NEXT)


@pytest.mark.parametrize(
    ("dirty", "at", "goes"),
    [
        pytest.param(1000, 900, False, id="1000 due rows are few enough"),
        pytest.param(1001, 899, False, id="many, within 15 min of the last"),
        pytest.param(1001, 900, True, id="many, 15 min after the last"),
    ],
)
def test_many_due_rows_go_as_a_full_load_at_most_every_fifteen_minutes(dirty: int, at: float, goes: bool) -> None:
    decision = decide(LOADED, Census(2000, 2000, dirty), at=at)
    assert (decision == Go(Want.ABOVE)) is goes


# --- the daily one


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        pytest.param("2026-11-21T03:00", "Europe/Berlin", "2026-11-22T01:30", id="an ordinary night"),
        pytest.param("2026-11-21T01:30", "Europe/Berlin", "2026-11-22T01:30", id="at the moment itself: the next"),
        pytest.param("2026-03-28T12:00", "Europe/Berlin", "2026-03-29T01:00", id="skipped 02:30: at the gap's end"),
        pytest.param("2026-03-29T01:00", "Europe/Berlin", "2026-03-30T00:30", id="after the skipped one: next night"),
        pytest.param("2026-10-24T12:00", "Europe/Berlin", "2026-10-25T00:30", id="repeated 02:30: the first"),
        pytest.param("2026-10-25T00:30", "Europe/Berlin", "2026-10-26T01:30", id="not again at the second 02:30"),
        pytest.param("2026-10-25T01:10", "Europe/Berlin", "2026-10-26T01:30", id="nor from between the two"),
        pytest.param("2026-11-21T03:00", "UTC", "2026-11-22T02:30", id="UTC"),
    ],
)
def test_each_night_has_exactly_one_daily_moment(now: str, zone: str, expected: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_nightly(at, replace(NIGHTLY, zone=zone)) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_daily_one_goes_at_its_moment_and_once() -> None:
    until = (NEXT - T0).total_seconds()
    assert isinstance(decide(LOADED, at=until - 1), Singles)
    assert decide(LOADED, at=until) == Go(Want.DAILY)
    settled = attempt(LOADED, Accepted(), at=until, took=3)
    assert isinstance(decide(settled.state, at=until + 4), Singles)
    assert settled.state.next_w == NEXT + timedelta(days=1)


def test_days_of_downtime_are_caught_up_once() -> None:
    at = 5 * 86_400.0
    state = full_load.recover(LOADED, moment(at), AUTO)
    assert decide(full_load.schedule(state, moment(at), AUTO), at=at) == Go(Want.DAILY)
    settled = attempt(state, Accepted(), at=at)
    assert settled.state.next_w == datetime(2026, 11, 27, 1, 30, tzinfo=UTC)
    assert isinstance(decide(settled.state, at=at + 1), Singles)


def test_one_for_another_reason_in_the_night_is_the_daily_one() -> None:
    at = (NEXT - T0).total_seconds() + 5
    settled = attempt(structs.replace(LOADED, wanted="request"), Accepted(), at=at)
    assert settled.state.next_w == NEXT + timedelta(days=1)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(None, NEXT, id="never scheduled"),
        pytest.param(NEXT, NEXT, id="on the schedule"),
        pytest.param(NEXT - timedelta(days=3), NEXT - timedelta(days=3), id="missed: kept, to be caught up"),
        pytest.param(NEXT + timedelta(days=1), NEXT + timedelta(days=1), id="the clock stepped back: not twice"),
        pytest.param(NEXT + timedelta(days=365), NEXT, id="stored under a clock a year ahead"),
        pytest.param(NEXT + timedelta(hours=1), NEXT, id="the configured time changed"),
    ],
)
def test_the_stored_moment_stands_while_it_is_on_the_schedule(stored: datetime | None, expected: datetime) -> None:
    assert full_load.schedule(structs.replace(LOADED, next_w=stored), moment(0), AUTO).next_w == expected


# --- the guard


@pytest.mark.row("T47")
@pytest.mark.parametrize(
    ("total", "wanted", "guarded"),
    [
        pytest.param(0, "request", True, id="empty inventory"),
        pytest.param(49, "request", True, id="below half of the last"),
        pytest.param(49, "doubt", True, id="whatever it is wanted for"),
        pytest.param(50, "request", False, id="half of the last"),
        pytest.param(49, "confirmed", False, id="below half, confirmed"),
        pytest.param(0, "confirmed", True, id="empty inventory, whoever confirms"),
    ],
)
def test_an_inventory_that_vanished_does_not_wipe_out_the_hub(total: int, wanted: str, guarded: bool) -> None:
    decision = decide(structs.replace(LOADED, wanted=wanted), Census(total, total, 0), at=1000)
    assert isinstance(decision, Guarded) is guarded
    assert isinstance(decision, Go) is not guarded


@pytest.mark.row("T47")
def test_a_first_one_of_nothing_is_guarded() -> None:
    assert isinstance(decide(FullLoadState(), Census(0, 0, 0)), Guarded)


def test_a_confirmed_one_stays_confirmed_in_doubt_and_is_the_new_measure() -> None:
    doubted = attempt(structs.replace(LOADED, wanted="confirmed"), TIMED_OUT, at=1000, took=15, size=40)
    assert decide(doubted.state, Census(40, 40, 0), at=1016) == Go(Want.CONFIRMED)
    accepted = attempt(doubted.state, Accepted(), at=1016, size=40)
    assert accepted.state.size == 40
    assert decide(accepted.state, Census(40, 40, 0), at=1106) == Go(Want.DOUBT)


# --- doubt


def test_one_in_doubt_is_repeated_at_once_and_again_when_the_doubt_ends() -> None:
    doubted = attempt(FullLoadState(), TIMED_OUT, at=0, took=15)
    assert not doubted.give_up
    assert decide(doubted.state, at=16) == Go(Want.DOUBT)
    accepted = attempt(doubted.state, Accepted(), at=16, took=1)
    assert decide(accepted.state, at=18) == Singles(T0 + timedelta(seconds=17 + 90), NEXT)
    assert decide(accepted.state, at=107) == Go(Want.DOUBT)
    asserted = attempt(accepted.state, Accepted(), at=107)
    assert asserted.state.wanted is None


def test_three_in_doubt_give_way_to_single_pushes_for_a_quarter_of_an_hour() -> None:
    settled = attempt(FullLoadState(), TIMED_OUT, at=0, took=10)
    settled = attempt(settled.state, TIMED_OUT, at=12, took=10)
    assert not settled.give_up
    settled = attempt(settled.state, TIMED_OUT, at=24, took=10)
    assert settled.give_up
    assert decide(settled.state, at=35) == Singles(T0 + timedelta(seconds=34 + 900), NEXT)
    assert decide(settled.state, at=934) == Go(Want.DOUBT)


def test_one_on_request_goes_at_once_however_many_failed_and_is_repeated_after_their_doubt() -> None:
    state = LOADED
    for at in (0, 20, 40):
        state = attempt(state, TIMED_OUT, at=at, took=15).state
    asked = full_load.request(state, ALL)
    assert decide(asked, at=56) == Go(Want.REQUEST)
    accepted = attempt(asked, Accepted(), at=56, took=1).state
    assert decide(accepted, at=57) == Singles(T0 + timedelta(seconds=57 + 90), NEXT)
    assert decide(accepted, at=57 + 90) == Go(Want.DOUBT)


def test_one_on_request_that_times_out_is_tried_as_often_as_any_other() -> None:
    state = structs.replace(LOADED, wanted=Want.DOUBT, tries=3, gate_since=T0)
    asked = full_load.request(state, ALL)
    assert decide(attempt(asked, TIMED_OUT, at=100, took=15).state, at=116) == Go(Want.DOUBT)


def test_one_in_flight_at_a_crash_is_in_doubt() -> None:
    recovered = full_load.recover(full_load.begin(LOADED, moment(1000)), moment(1005), AUTO)
    assert (recovered.in_flight, recovered.wanted, recovered.tries) == (False, "doubt", 1)
    assert decide(recovered, at=1005) == Go(Want.DOUBT)


def test_a_crash_loop_within_full_loads_repeats_it_at_most_three_times_in_its_gate() -> None:
    state, sent = structs.replace(LOADED, wanted="request"), 0
    for second in range(0, 60, 2):
        at = 1000.0 + second
        state = full_load.recover(state, moment(at), AUTO)
        if isinstance(decide(state, at=at), Go):
            state, sent = full_load.begin(state, moment(at)), sent + 1
    assert sent == 3


def test_a_restart_without_one_in_flight_wants_none() -> None:
    assert full_load.recover(LOADED, moment(10), AUTO) == LOADED


def test_no_stored_time_lies_in_the_future_after_a_restart() -> None:
    future = T0 + timedelta(days=400)
    state = full_load.recover(structs.replace(LOADED, attempted_at=future, accepted_at=future), moment(0), AUTO)
    assert (state.attempted_at, state.accepted_at) == (T0, T0)


# --- deferred, held, refused


@pytest.mark.parametrize("outcome", [Deferred("503"), Held("017")], ids=repr)
def test_a_failing_one_holds_single_pushes_back_for_at_most_a_minute(outcome: Outcome) -> None:
    settled = attempt(FullLoadState(), outcome, at=0, took=1)
    assert not settled.give_up
    assert decide(settled.state, at=2) == Go(Want.FIRST)
    settled = attempt(settled.state, outcome, at=55, took=5)
    assert settled.give_up
    assert decide(settled.state, at=61) == Singles(T0 + timedelta(seconds=960), NEXT)
    assert decide(settled.state, at=960) == Go(Want.FIRST)


@pytest.mark.parametrize(
    ("failures", "outcome", "goes"),
    [
        pytest.param(2, Accepted(), True, id="everything failed, now a push passes"),
        pytest.param(1, Accepted(), False, id="the fullLoad alone failed"),
        pytest.param(0, Accepted(), False, id="pushes pass"),
        pytest.param(5, Deferred("503"), False, id="the hub is still away"),
        pytest.param(5, Refused("604"), False, id="a refusal says nothing of the others"),
    ],
)
def test_one_that_failed_in_an_outage_is_next_once_a_single_push_passes(
    failures: int, outcome: Outcome, goes: bool
) -> None:
    failed = attempt(structs.replace(LOADED, gate_since=T0, wanted=Want.ABOVE), Deferred("503"), at=61).state
    steady = T0 + timedelta(seconds=100)
    after = full_load_in_time(failed, Lane(failures=failures), outcome, steady=steady, options=AUTO)
    assert (decide(after, at=100) == Go(Want.ABOVE)) is goes
    again = attempt(after, Deferred("503"), at=100).state if goes else after
    assert isinstance(decide(again, at=101), Singles)


def test_a_push_that_passes_brings_no_full_load_where_none_failed() -> None:
    steady = T0 + timedelta(seconds=100)
    assert full_load_in_time(LOADED, Lane(failures=9), Accepted(), steady=steady, options=AUTO) == LOADED


def test_named_ids_are_left_out_and_the_rest_is_sent_again() -> None:
    settled = attempt(FullLoadState(), Refused("603", ("DEABCE1",)), at=0, took=1)
    assert (settled.omit, settled.give_up) == (("DEABCE1",), False)
    assert decide(settled.state, at=2) == Go(Want.FIRST)
    assert attempt(settled.state, Accepted(), at=2, size=99).state.wanted is None


@pytest.mark.parametrize("outcome", [Refused("413"), Refused("022"), WrongAction(True, "exists")], ids=repr)
def test_a_refusal_without_names_gives_way_to_single_pushes_until_the_next_night(outcome: Outcome) -> None:
    settled = attempt(LOADED, outcome, at=(NEXT - T0).total_seconds())
    assert settled.give_up
    later = (NEXT - T0).total_seconds() + 80_000
    assert decide(settled.state, at=later) == Singles(None, NEXT + timedelta(days=1))


def test_answers_that_name_ids_again_and_again_end() -> None:
    settled, rounds = attempt(FullLoadState(), Refused("603", ("DEABCE1",)), at=0), 1
    while not settled.give_up:
        settled, rounds = attempt(settled.state, Refused("603", ("DEABCE1",)), at=rounds * 0.1), rounds + 1
    assert rounds == 20


def test_named_ids_do_not_hold_single_pushes_back_beyond_a_minute() -> None:
    settled = attempt(FullLoadState(), Refused("603", ("DEABCE1",)), at=0, took=15)
    settled = attempt(settled.state, Refused("603", ("DEABCE2",)), at=50, took=15)
    assert (settled.give_up, settled.omit) == (True, ("DEABCE2",))


# --- weekly ones, and those that an operator asks for


def test_weekly_one_keeps_its_day_and_its_local_time_over_a_clock_change() -> None:
    weekly = replace(NIGHTLY, weekday=0)
    first = next_nightly(datetime(2026, 10, 12, 12, 0, tzinfo=UTC), weekly)
    assert first == datetime(2026, 10, 18, 0, 30, tzinfo=UTC)
    assert next_nightly(first, weekly) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    after = next_nightly(datetime(2026, 10, 25, 12, 0, tzinfo=UTC), weekly)
    assert after == datetime(2026, 11, 1, 1, 30, tzinfo=UTC)


def test_weekly_moment_that_was_stored_is_not_computed_anew() -> None:
    weekly = FullLoadOptions(policy=FullLoadPolicy.AUTO, nightly=Nightly(time(2, 30), 0, "UTC"))
    stored = FullLoadState(next_w=datetime(2026, 11, 22, 2, 30, tzinfo=UTC))
    early = Moment(now=datetime(2026, 11, 15, 3, 0, tzinfo=UTC), steady=T0)
    assert full_load.schedule(stored, early, weekly) == stored


def test_asked_for_is_sent_at_once_and_is_the_yes_to_it() -> None:
    confirmed = FullLoadOptions(policy=FullLoadPolicy.CONFIRMED)
    asked = full_load.request(FullLoadState(), Census(total=100, reported=0, dirty=100))
    assert decide(asked, Census(total=100, reported=0, dirty=100), options=confirmed) == Go(Want.REQUEST)
    assert decide(full_load.request(LOADED, ALL)) == Go(Want.REQUEST)


def test_asked_for_goes_out_although_the_inventory_has_halved() -> None:
    halved = Census(total=40, reported=40, dirty=0)
    assert isinstance(decide(structs.replace(LOADED, wanted="daily"), halved), Guarded)
    assert decide(full_load.request(LOADED, halved), halved) == Go(Want.CONFIRMED)


def test_asked_for_on_an_empty_inventory_is_no_yes_to_what_is_imported_next() -> None:
    for ordered in (full_load.request, full_load.confirm):
        asked = ordered(structs.replace(LOADED, wanted="daily"), Census(total=0, reported=0, dirty=0))
        assert isinstance(decide(asked, Census(total=40, reported=40, dirty=0)), Guarded)


def test_none_goes_out_on_request_where_the_configuration_says_never() -> None:
    never = FullLoadOptions(policy=FullLoadPolicy.NEVER)
    assert decide(full_load.request(LOADED, ALL), options=never) == Singles()
