"""A row from what is wanted until its answer is settled, which `reconcile` and `settlement` do together."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import fields, replace

from bridge.core import reconcile, settlement
from bridge.core.model import Accepted, Deferred, Delivery, Held, Lane, Outcome, Refused, WrongAction
from bridge.core.reconcile import AT_ONCE, WANTED, ReconcileOptions, due_at, farewell, start, want
from bridge.core.settlement import Settled

OPTIONS = ReconcileOptions()
T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TIMED_OUT = Deferred("timeout", in_doubt=True)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def settle(
    delivery: Delivery,
    outcome: Outcome,
    *,
    lane: Lane | None = None,
    sent: str = "Available",
    at: datetime = T0,
    options: ReconcileOptions = OPTIONS,
) -> Settled:
    return settlement.settle(
        lane or Lane(),
        delivery,
        outcome,
        sent=sent,
        steady=at,
        jitter=0.0,
        reassert_jitter=0.0,
        options=options,
    )


def row(settled: Settled) -> Delivery:
    assert settled.delivery is not None
    return settled.delivery


def in_flight(**fields: object) -> Delivery:
    return start(replace(want(None, "Available"), **fields), T0)  # type: ignore[arg-type]


def acked(desired: str = "Available") -> Delivery:
    return row(settle(start(want(None, desired), T0), Accepted(), sent=desired))


def pushed(settled: Settled, outcome: Outcome, at: datetime, **arguments: object) -> Settled:
    return settle(start(row(settled), at), outcome, lane=settled.lane, at=at, **arguments)  # type: ignore[arg-type]


# --- want and due


def test_a_new_row_is_due_at_once() -> None:
    delivery = want(None, "Available")
    assert (delivery.desired_seq, due_at(delivery)) == (1, AT_ONCE)


def test_the_same_value_is_the_same_row() -> None:
    delivery = acked()
    assert want(delivery, "Available") is delivery


FULL = Delivery(
    "Available",
    7,
    "Reserved",
    5,
    after(1),
    6,
    after(2),
    after(3),
    after(4),
    "no",
    4,
    "no",
    "why",
    True,
    True,
    3,
    after(5),
)


@pytest.mark.parametrize(
    ("before", "wish"),
    [
        (FULL, lambda row: want(row, "Occupied")),
        (FULL, lambda row: farewell(row, "")),
        (replace(FULL, tombstone=True), lambda row: want(row, "Available")),
    ],
    ids=["another value", "a farewell", "the same value after a farewell"],
)
def test_a_new_wish_changes_nothing_but_what_the_store_writes_of_it(
    before: Delivery, wish: Callable[[Delivery], Delivery]
) -> None:
    wanted = wish(before)
    changed = {each.name for each in fields(Delivery) if getattr(wanted, each.name) != getattr(before, each.name)}
    assert {"desired_seq"} < changed <= {"desired", "desired_seq", "tombstone", "not_before", "switched"}
    assert set(WANTED) == {"desired", "desired_seq", "tombstone", "not_before", "switched"}


def test_an_acknowledged_row_is_due_for_its_daily_assertion_only() -> None:
    assert due_at(acked()) == after(24 * 3600)


def test_daily_assertions_are_spread_over_the_last_quarter_of_the_day() -> None:
    settled = settlement.settle(
        Lane(), in_flight(), Accepted(), sent="Available", steady=T0, jitter=0.0, reassert_jitter=0.5, options=OPTIONS
    )
    assert due_at(row(settled)) == after(21 * 3600)


def test_rows_that_the_full_load_asserts_are_never_due_by_themselves() -> None:
    settled = settle(in_flight(), Accepted(), options=ReconcileOptions(reassert_every=None))
    assert due_at(row(settled)) is None


def test_a_row_in_flight_is_not_due() -> None:
    assert due_at(in_flight()) is None


def test_a_second_start_before_settling_is_a_defect() -> None:
    with pytest.raises(AssertionError):
        start(in_flight(), after(1))


def test_settling_twice_is_a_defect() -> None:
    with pytest.raises(AssertionError):
        settle(acked(), Accepted())


# --- accepted


def test_change_during_push_stays_dirty_and_what_was_sent_counts_as_acknowledged() -> None:
    changed = want(in_flight(), "Occupied")
    settled = row(settle(changed, Accepted(), sent="Available"))
    assert (settled.acked, settled.acked_seq, settled.desired_seq, due_at(settled)) == ("Available", 1, 2, AT_ONCE)


@pytest.mark.row("T32")
def test_a_change_back_during_push_is_sent_again_since_order_is_by_sequence() -> None:
    flapped = want(want(in_flight(), "Occupied"), "Available")
    assert due_at(row(settle(flapped, Accepted(), sent="Available"))) == AT_ONCE


def test_acceptance_resets_row_and_lane() -> None:
    deferred = settle(in_flight(), Deferred("503"))
    settled = pushed(deferred, Accepted(), after(2))
    assert settled.lane == Lane()
    assert (row(settled).attempts, row(settled).not_before, row(settled).known) == (0, None, True)


# --- doubt


def test_a_lost_answer_sends_the_current_value_soon_and_again_when_the_doubt_ends() -> None:
    doubted = settle(in_flight(), TIMED_OUT)
    assert due_at(row(doubted)) == after(1)
    accepted = pushed(doubted, Accepted(), after(2))
    assert due_at(row(accepted)) == after(90)
    asserted = pushed(accepted, Accepted(), after(90))
    assert row(asserted).doubt_until is None
    assert due_at(row(asserted)) == after(90 + 24 * 3600)


def test_only_a_request_that_began_after_the_doubt_ends_it() -> None:
    doubted = settle(in_flight(), TIMED_OUT)
    started = start(row(doubted), after(89.9))
    assert row(settle(started, Accepted(), at=after(95))).doubt_until == after(90)


def test_an_assertion_in_doubt_is_sent_again_though_its_value_was_acknowledged() -> None:
    doubted = settle(start(acked(), after(86_400)), TIMED_OUT, at=after(86_415))
    assert reconcile.dirty(row(doubted))
    assert due_at(row(doubted)) == after(86_416)


def test_the_last_of_several_doubts_counts() -> None:
    doubted = pushed(settle(in_flight(), TIMED_OUT), TIMED_OUT, after(50))
    assert row(doubted).doubt_until == after(140)


# --- deferred


@pytest.mark.parametrize(
    ("retry_after_s", "seconds"),
    [
        pytest.param(None, 1, id="own backoff"),
        pytest.param(120.0, 120, id="Retry-After"),
        pytest.param(1e9, 900, id="Retry-After is bounded to 15 min"),
        pytest.param(0.0, 1, id="Retry-After of zero is no invitation to hammer"),
    ],
)
def test_deferred_delays_the_row_and_the_lane(retry_after_s: float | None, seconds: int) -> None:
    settled = settle(in_flight(), Deferred("503", retry_after_s))
    assert due_at(row(settled)) == after(seconds)
    assert reconcile.lane_ready_at(settled.lane, OPTIONS) == after(seconds)


def test_a_dead_hub_for_an_hour_sees_at_most_one_attempt_per_minute_after_the_first_minute() -> None:
    settled, at, attempts = settle(in_flight(), Deferred("500")), T0, [T0]
    while at < after(3600):
        at = reconcile.lane_ready_at(settled.lane, OPTIONS) or at
        settled = pushed(settled, Deferred("500"), at)
        attempts.append(at)
    late = [attempt for attempt in attempts if attempt > after(60)]
    assert all((b - a).total_seconds() >= 60 for a, b in pairwise(late))
    assert len(attempts) <= 66


def test_a_changed_value_drops_the_rows_own_wait_but_not_the_lanes() -> None:
    deferred = settle(in_flight(), Deferred("503", 300.0))
    assert due_at(want(row(deferred), "Occupied")) == AT_ONCE
    assert due_at(row(settle(want(in_flight(), "Occupied"), Deferred("503", 300.0)))) == AT_ONCE
    assert reconcile.lane_ready_at(deferred.lane, OPTIONS) == after(300)


def test_a_row_that_always_times_out_waits_longer_though_others_pass() -> None:
    settled = settle(in_flight(attempts=6), TIMED_OUT, lane=Lane())
    assert due_at(row(settled)) == after(60)
    assert settled.lane.paused_until == after(1)


# --- refused


def test_a_refused_row_waits_six_hours_and_frees_the_lane() -> None:
    settled = settle(in_flight(), Refused("018"), lane=Lane(failures=5, paused_until=T0))
    assert due_at(row(settled)) == after(6 * 3600)
    assert (row(settled).refused, row(settled).refused_seq) == ("018", 1)
    assert (settled.lane.failures, settled.lane.paused_until) == (0, None)


@pytest.mark.parametrize(
    "delivery",
    [
        pytest.param(want(row(settle(in_flight(), Refused("018"))), "Occupied"), id="changed after the refusal"),
        pytest.param(row(settle(want(in_flight(), "Occupied"), Refused("018"))), id="changed while in flight"),
        pytest.param(reconcile.reconfigured(row(settle(in_flight(), Refused("018")))), id="configuration changed"),
        pytest.param(reconcile.forget(row(settle(in_flight(), Refused("018")))), id="resync"),
    ],
)
def test_a_refused_row_is_tried_at_once_when(delivery: Delivery) -> None:
    assert due_at(delivery) == AT_ONCE


def test_a_refused_assertion_no_longer_counts_as_acknowledged() -> None:
    settled = settle(start(acked(), T0), Refused("603"))
    assert reconcile.dirty(row(settled))


def test_twenty_different_rows_refused_for_one_reason_hold_the_account() -> None:
    lane = Lane()
    for _ in range(19):
        lane = settle(in_flight(), Refused("603"), lane=lane).lane
    assert lane.held is None
    assert settle(in_flight(), Refused("603"), lane=lane).lane.held == "603"
    assert settle(in_flight(), Refused("018"), lane=lane).lane.held is None


def test_one_row_refused_twenty_times_holds_nothing() -> None:
    settled = settle(in_flight(), Refused("603"))
    for n in range(20):
        settled = pushed(settled, Refused("603"), after(n * 21_600))
    assert (settled.lane.refusals, settled.lane.held) == (1, None)


def test_an_acceptance_in_between_ends_the_streak() -> None:
    lane = Lane(refusals=19, refusal_reason="603")
    lane = settle(in_flight(), Accepted(), lane=lane).lane
    assert settle(in_flight(), Refused("603"), lane=lane).lane.refusals == 1


# --- wrong action


def test_an_unknown_row_is_sent_once_more_as_an_insert() -> None:
    settled = settle(in_flight(known=True), WrongAction(False, "603"))
    assert (row(settled).known, due_at(row(settled)), settled.lane) == (False, AT_ONCE, Lane())
    assert row(pushed(settled, Accepted(), after(1))).known is True


def test_a_second_contradiction_is_a_refusal() -> None:
    switched = settle(in_flight(), WrongAction(False, "603"))
    settled = pushed(switched, WrongAction(True, "exists"), after(1))
    assert (row(settled).refused, row(settled).known) == ("exists", True)
    assert due_at(row(settled)) == after(1 + 6 * 3600)


def test_a_lost_row_is_inserted_again_by_its_daily_assertion() -> None:
    settled = settle(start(acked(), after(86_400)), WrongAction(False, "603"), at=after(86_400))
    assert due_at(row(settled)) == AT_ONCE


def test_a_new_value_may_be_switched_anew() -> None:
    switched = row(settle(in_flight(), WrongAction(False, "603")))
    assert want(switched, "Occupied").switched is False


# --- held


def test_a_held_account_is_probed_once_a_minute_with_another_row() -> None:
    settled = settle(in_flight(), Held("017"))
    assert (settled.lane.held, row(settled).suspect) == ("017", "017")
    assert reconcile.lane_ready_at(settled.lane, OPTIONS) == after(60)
    assert row(settled).attempted_at is not None  # so that a row which was not attempted is taken next


def test_what_may_be_one_rows_own_is_put_to_the_test_with_another_row_at_once_and_then_once_a_minute() -> None:
    first = settle(in_flight(), Held("403", perhaps_row=True))
    assert (first.lane.held, row(first).suspect) == ("403", "403")
    assert reconcile.lane_ready_at(first.lane, OPTIONS) is None
    second = settle(in_flight(), Held("403", perhaps_row=True), lane=first.lane)
    assert reconcile.lane_ready_at(second.lane, OPTIONS) == after(60)
    passed = settle(in_flight(), Accepted(), lane=first.lane)
    assert (passed.lane.held, passed.prove) == (None, "403")


def test_a_row_that_alone_is_suspected_waits_for_a_minute_and_keeps_nobody_else_waiting() -> None:
    first = settle(in_flight(), Held("403", perhaps_row=True))
    assert due_at(row(first)) == after(60)
    again = pushed(first, Held("403", perhaps_row=True), after(60))
    assert due_at(row(again)) == after(120)
    assert reconcile.lane_ready_at(again.lane, OPTIONS) is None
    other = settle(in_flight(), Held("403", perhaps_row=True), lane=again.lane, at=after(70))
    assert reconcile.lane_ready_at(other.lane, OPTIONS) == after(130)
    third = pushed(Settled(other.lane, again.delivery), Held("403", perhaps_row=True), after(130))
    assert reconcile.lane_ready_at(third.lane, OPTIONS) == after(190)


def test_a_new_value_of_a_suspect_is_sent_at_once() -> None:
    suspect = row(settle(in_flight(), Held("403", perhaps_row=True)))
    assert due_at(want(suspect, "Occupied")) == AT_ONCE
    changed = want(in_flight(), "Occupied")
    assert due_at(row(settle(changed, Held("403", perhaps_row=True)))) == AT_ONCE


def test_a_suspect_is_tried_at_once_and_suspected_anew_when_the_configuration_changed() -> None:
    first = settle(in_flight(), Held("403", perhaps_row=True))
    cleared = reconcile.reconfigured(row(first))
    assert (due_at(cleared), cleared.suspect) == (AT_ONCE, None)
    again = settle(start(cleared, after(1)), Held("403", perhaps_row=True), lane=first.lane, at=after(1))
    assert reconcile.lane_ready_at(again.lane, OPTIONS) == after(61)


@pytest.mark.parametrize(
    "outcome",
    [Held("300"), Deferred("503"), Refused("018"), WrongAction(False, "603")],
    ids=lambda outcome: type(outcome).__name__,
)
def test_any_answer_but_acceptance_leaves_it_held_for_another_minute(outcome: Outcome) -> None:
    settled = settle(in_flight(), outcome, lane=Lane(held="017", held_at=after(-60)))
    assert settled.lane.held is not None
    assert reconcile.lane_ready_at(settled.lane, OPTIONS) == after(60)


def test_a_pause_that_the_hub_asked_for_outlasts_the_next_probe() -> None:
    settled = settle(in_flight(), Deferred("503", 300.0), lane=Lane(held="017", held_at=T0))
    assert reconcile.lane_ready_at(settled.lane, OPTIONS) == after(300)


def test_another_row_that_passes_frees_the_account_and_puts_the_suspect_to_the_test() -> None:
    suspect = settle(in_flight(), Held("017"))
    passed = settle(in_flight(), Accepted(), lane=suspect.lane, at=after(60))
    assert (passed.lane, passed.prove) == (Lane(), "017")
    proven = settlement.prove_suspect(row(suspect), "017")
    assert due_at(proven) == AT_ONCE
    refused = settle(start(proven, after(61)), Held("017"), at=after(61))
    assert (row(refused).refused, refused.lane.held) == ("017", None)
    again = settle(start(row(refused), after(30_000)), Held("017"), at=after(30_000))
    assert (row(again).refused, again.lane.held) == ("017", None)


def test_after_a_repaired_key_a_suspect_passes_at_once_and_is_no_longer_proven() -> None:
    suspect = row(settle(in_flight(), Held("017")))
    proven = settlement.prove_suspect(suspect, "017")
    passed = row(settle(start(proven, after(61)), Accepted(), at=after(61)))
    assert (passed.proven, passed.suspect, reconcile.dirty(passed)) == (None, None, False)


def test_a_proven_row_can_hold_the_account_for_another_reason() -> None:
    settled = settle(in_flight(proven="017"), Held("300"))
    assert settled.lane.held == "300"


def test_rows_whose_refusals_held_the_account_are_tried_at_once_when_another_passes() -> None:
    refused = row(settle(in_flight(), Refused("603")))
    assert due_at(settlement.prove_suspect(refused, "603")) == AT_ONCE


def test_a_row_without_that_reason_is_no_suspect() -> None:
    refused = row(settle(in_flight(), Refused("018")))
    assert settlement.prove_suspect(refused, "603") is refused


def test_a_changed_configuration_probes_a_held_account_at_once() -> None:
    lane = reconcile.reconfigured_lane(Lane(held="017", held_at=T0))
    assert (lane.held, reconcile.lane_ready_at(lane, OPTIONS)) == ("017", None)


# --- tombstones


def test_an_acknowledged_tombstone_goes_away() -> None:
    tombstone = farewell(acked(), "")
    assert due_at(tombstone) == AT_ONCE
    assert settle(start(tombstone, T0), Accepted(), sent="").delivery is None


def test_a_deletion_of_what_the_hub_does_not_know_is_done() -> None:
    assert settle(start(farewell(acked(), ""), T0), WrongAction(False, "603"), sent="").delivery is None


def test_a_tombstone_in_doubt_stays_until_it_was_asserted_again() -> None:
    doubted = settle(start(farewell(acked(), ""), T0), TIMED_OUT, sent="")
    accepted = pushed(doubted, Accepted(), after(2), sent="")
    assert due_at(row(accepted)) == after(90)
    assert pushed(accepted, Accepted(), after(91), sent="").delivery is None


def test_an_evse_that_returns_while_its_deletion_is_in_flight_is_inserted() -> None:
    returned = want(start(farewell(acked(), ""), T0), "Available")
    settled = row(settle(returned, Accepted(), sent=""))
    assert (settled.known, settled.tombstone, due_at(settled)) == (False, False, AT_ONCE)


# --- a fullLoad's rows


def in_full_load(outcome: Outcome, *, delivery: Delivery | None = None, named: bool = False) -> Delivery | None:
    return settlement.settle_in_full_load(
        delivery or in_flight(),
        outcome,
        named=named,
        sent="Available",
        steady=T0,
        reassert_jitter=0.0,
        options=OPTIONS,
    )


def test_an_accepted_full_load_acknowledges_what_it_carried() -> None:
    settled = in_full_load(Accepted(), delivery=want(in_flight(), "Occupied"))
    assert settled is not None
    assert (settled.acked, settled.acked_seq, due_at(settled)) == ("Available", 1, AT_ONCE)


def test_a_full_load_in_doubt_puts_every_row_in_doubt_without_a_wait_of_its_own() -> None:
    settled = in_full_load(TIMED_OUT)
    assert settled is not None
    assert (settled.doubt_until, due_at(settled)) == (after(90), AT_ONCE)


@pytest.mark.parametrize("outcome", [Deferred("503"), Refused("022", ("DEABCE9",)), Held("017")], ids=repr)
def test_any_other_answer_leaves_rows_that_it_does_not_name_as_they_were(outcome: Outcome) -> None:
    settled = in_full_load(outcome)
    assert settled is not None
    assert (settled.in_flight_seq, settled.refused, settled.suspect, due_at(settled)) == (0, None, None, AT_ONCE)


def test_a_named_row_is_refused_and_left_out_of_the_next_until_its_value_changes() -> None:
    refused = in_full_load(Refused("603", ("DEABCE1",)), named=True)
    assert refused is not None
    assert due_at(refused) == after(6 * 3600)
    assert reconcile.left_out_of_full_load(refused)
    assert not reconcile.left_out_of_full_load(want(refused, "Occupied"))
    assert not reconcile.left_out_of_full_load(reconcile.reconfigured(refused))


# --- restart


def test_what_was_in_flight_at_a_crash_is_in_doubt() -> None:
    recovered = settlement.recover(in_flight(), after(10), OPTIONS)
    assert (recovered.in_flight_seq, recovered.doubt_until, due_at(recovered)) == (0, after(100), AT_ONCE)


def test_a_restart_changes_nothing_for_a_settled_row() -> None:
    delivery = acked()
    assert settlement.recover(delivery, after(10), OPTIONS) is delivery


def test_a_restart_never_shortens_a_pause() -> None:
    lane = settle(in_flight(), Deferred("503", 600.0)).lane
    assert settlement.recover_lane(lane, after(10), OPTIONS) == lane


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        pytest.param(replace(acked(), reassert_at=after(9e6)), after(24 * 3600), id="assertion within a day"),
        pytest.param(replace(want(None, "A"), not_before=after(9e6)), after(900), id="deferred within 15 min"),
        pytest.param(
            replace(want(None, "A"), not_before=after(9e6), refused="018", refused_seq=1),
            after(6 * 3600),
            id="refused within 6 h",
        ),
        pytest.param(replace(acked(), doubt_until=after(9e6)), after(90), id="doubt within 90 s"),
        pytest.param(replace(acked(), reassert_at=None), after(24 * 3600), id="assertion switched on"),
    ],
)
def test_stored_times_wait_no_longer_than_their_own_maximum(delivery: Delivery, expected: datetime) -> None:
    assert due_at(settlement.recover(delivery, T0, OPTIONS)) == expected


def test_a_stored_lane_waits_no_longer_than_its_own_maximum() -> None:
    lane = settlement.recover_lane(Lane(paused_until=after(9e6), held="017", held_at=after(9e6)), T0, OPTIONS)
    assert (lane.paused_until, lane.held_at) == (after(900), T0)


def test_resync_sends_every_value_again_by_the_usual_path() -> None:
    forgotten = reconcile.forget(acked())
    assert (due_at(forgotten), forgotten.desired_seq) == (AT_ONCE, 1)


def test_new_value_keeps_everything_else_that_is_known_of_the_row() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    row = Delivery(
        desired="Available",
        desired_seq=7,
        acked="Occupied",
        acked_seq=5,
        acked_at=moment,
        in_flight_seq=6,
        doubt_until=moment,
        reassert_at=moment,
        not_before=moment,
        refused="604",
        refused_seq=4,
        proven="017",
        suspect="017",
        known=False,
        switched=True,
        attempts=3,
        attempted_at=moment,
        references=("s1", "p1"),
    )
    wanted = want(row, "Reserved", ("s1", "p1"))
    assert wanted == replace(row, desired="Reserved", desired_seq=8, not_before=None, switched=False)
