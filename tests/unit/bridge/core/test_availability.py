from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core.availability import (
    Availability,
    AvailabilityOrder,
    begun,
    enforced,
    joined,
    settled,
    targets,
    want_order,
)
from bridge.core.model import Temporary, TemporaryKind
from csms.events import ChangeAnswer, ChangeOutcome, ConnectorAddress

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
OUT, IN = Availability.INOPERATIVE, Availability.OPERATIVE
ACCEPTED, SCHEDULED = ChangeAnswer(ChangeOutcome.ACCEPTED), ChangeAnswer(ChangeOutcome.SCHEDULED)
REJECTED, UNCLEAR = ChangeAnswer(ChangeOutcome.REJECTED), ChangeAnswer(ChangeOutcome.UNCLEAR, "no answer in time")


def asked(order: AvailabilityOrder | None, answer: ChangeAnswer) -> AvailabilityOrder | None:
    """Return the row after one whole attempt."""
    assert order is not None
    return settled(begun(order), order, answer, NOON, 0.0)


def test_only_enforced_ones_in_force_count() -> None:
    blocked = Temporary(TemporaryKind.BLOCKED, NOON, None, enforce=True)
    shown = Temporary(TemporaryKind.MAINTENANCE, NOON, None)
    assert enforced([shown, blocked], NOON)
    assert not enforced([shown, blocked], NOON - timedelta(seconds=1))
    assert not enforced([shown], NOON)


def test_order_is_there_while_something_is_enforced() -> None:
    assert want_order(None, False) is None
    order = want_order(None, True)
    assert order == AvailabilityOrder(OUT, wanted_seq=1)
    assert want_order(order, True) is order


def test_withdrawn_before_it_was_ever_attempted_nothing_is_left_to_send() -> None:
    assert want_order(want_order(None, True), False) is None


def test_accepted_order_is_undone_when_it_is_withdrawn_and_then_forgotten() -> None:
    taken = asked(want_order(None, True), ACCEPTED)
    assert taken is not None
    assert not taken.open
    undoing = want_order(taken, False)
    assert undoing is not None
    assert (undoing.wanted, undoing.open) == (IN, True)
    assert asked(undoing, ACCEPTED) is None


def test_scheduled_settles_like_accepted() -> None:
    taken = asked(want_order(None, True), SCHEDULED)
    assert taken is not None
    assert (taken.open, taken.last) == (False, "Inoperative: scheduled")


@pytest.mark.parametrize("answer", [REJECTED, ChangeAnswer(ChangeOutcome.UNSUPPORTED, "CALLERROR NotSupported")])
def test_refused_order_is_tried_again_slowly_and_never_undone(answer: ChangeAnswer) -> None:
    order = asked(want_order(None, True), answer)
    waits = []
    for _ in range(9):
        assert order is not None
        assert order.not_before is not None
        waits.append((order.not_before - NOON).total_seconds())
        order = asked(order, answer)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert want_order(order, False) is None


def test_lost_answer_is_undone_since_it_may_have_been_applied() -> None:
    undoing = want_order(asked(want_order(None, True), UNCLEAR), False)
    assert undoing is not None
    assert undoing.wanted is IN


def test_lost_answer_stays_in_doubt_though_the_next_one_is_a_refusal() -> None:
    order = asked(asked(want_order(None, True), UNCLEAR), REJECTED)
    assert want_order(order, False) is not None


def test_crash_between_marking_and_the_answer_is_undone() -> None:
    order = want_order(None, True)
    assert order is not None
    assert want_order(begun(order), False) is not None


def test_withdrawn_during_the_request_its_answer_decides_whether_to_undo() -> None:
    order = want_order(None, True)
    assert order is not None
    meanwhile = want_order(begun(order), False)
    assert meanwhile is not None
    assert settled(meanwhile, order, REJECTED, NOON, 0.0) is None
    undoing = settled(meanwhile, order, ACCEPTED, NOON, 0.0)
    assert undoing is not None
    assert (undoing.wanted, undoing.open) == (IN, True)


def test_wanted_again_during_the_undoing_it_is_sent_again() -> None:
    undoing = want_order(asked(want_order(None, True), ACCEPTED), False)
    assert undoing is not None
    again = want_order(begun(undoing), True)
    assert again is not None
    after = settled(again, undoing, ACCEPTED, NOON, 0.0)
    assert after is not None
    assert (after.wanted, after.open, after.made) == (OUT, True, False)
    assert want_order(after, False) is None


def test_row_says_how_the_station_answered_last() -> None:
    order = asked(want_order(None, True), UNCLEAR)
    assert order is not None
    assert order.last == "Inoperative: unclear (no answer in time)"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        pytest.param([ACCEPTED, ACCEPTED], ChangeOutcome.ACCEPTED, id="both-taken"),
        pytest.param([ACCEPTED, SCHEDULED], ChangeOutcome.SCHEDULED, id="one-later"),
        pytest.param([REJECTED, REJECTED], ChangeOutcome.REJECTED, id="none-taken"),
        pytest.param([ACCEPTED, REJECTED], ChangeOutcome.UNCLEAR, id="one-of-two"),
        pytest.param([REJECTED, ChangeAnswer(ChangeOutcome.AWAY)], ChangeOutcome.REJECTED, id="left-after-a-refusal"),
        pytest.param([ACCEPTED, ChangeAnswer(ChangeOutcome.AWAY)], ChangeOutcome.UNCLEAR, id="left-after-the-first"),
        pytest.param([UNCLEAR, REJECTED], ChangeOutcome.UNCLEAR, id="one-unclear"),
    ],
)
def test_answers_for_several_connectors_are_as_good_as_the_worst(
    answers: list[ChangeAnswer], outcome: ChangeOutcome
) -> None:
    assert joined(answers).outcome is outcome


@pytest.mark.parametrize(
    ("own", "others", "named"),
    [
        pytest.param([(0, 1), (0, 2)], [(0, 3)], [(0, 1), (0, 2)], id="1.6-names-connectors"),
        pytest.param([(1, 1), (1, 2)], [(2, 1)], [(1, 0)], id="2.0.1-names-the-evse"),
        pytest.param([(1, 1)], [(1, 2)], [(1, 1)], id="2.0.1-shared-evse-names-the-connector"),
    ],
)
def test_targets_are_never_more_than_the_evse(
    own: list[tuple[int, int]], others: list[tuple[int, int]], named: list[tuple[int, int]]
) -> None:
    found = targets([ConnectorAddress(*each) for each in own], [ConnectorAddress(*each) for each in others])
    assert [(address.evse, address.connector) for address in found] == named


@pytest.mark.parametrize("seed", range(200))
def test_station_ends_as_wanted_and_is_made_operative_only_where_we_may_have_made_it_inoperative(seed: int) -> None:
    """Random histories of wishes, refusals, lost answers and crashes, against a station that takes what it accepts."""
    rng = random.Random(seed)
    theirs = rng.random() < 0.5  # somebody else has taken it out of service
    station = "Inoperative" if theirs else "Operative"
    perhaps_ours = wanted = False
    order: AvailabilityOrder | None = None
    for step in range(60):
        calm = step >= 40
        if not calm and rng.random() < 0.4:
            wanted = not wanted
        order = want_order(order, wanted)
        if order is None or not order.open:
            continue
        sent, order = order, begun(order)
        assert sent.wanted is OUT or perhaps_ours, "made operative what we cannot have made inoperative"
        before, perhaps_ours = perhaps_ours, True
        applied = calm or rng.random() < 0.5
        station = sent.wanted.value if applied else station
        if not calm and rng.random() < 0.3:
            continue  # killed before the answer was stored
        if not calm and rng.random() < 0.3:
            wanted = not wanted
            order = want_order(order, wanted)
        lost = not calm and rng.random() < 0.3
        if not lost:
            perhaps_ours = sent.wanted is OUT if applied else before
        if order is not None:
            order = settled(order, sent, UNCLEAR if lost else ACCEPTED if applied else REJECTED, NOON, 0.0)
    assert (order is None) is (not wanted)
    if wanted:
        assert station == "Inoperative"
    elif not theirs:
        assert station == "Operative"
