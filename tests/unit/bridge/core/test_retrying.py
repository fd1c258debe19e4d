from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bridge.core import settlement
from bridge.core.model import Accepted, Deferred, Delivery, Held, Lane, Outcome, Refused
from bridge.core.reconcile import AT_ONCE, ReconcileOptions, due_at, start, want
from bridge.core.retrying import NotParked, Parked, Retried, retry

OPTIONS = ReconcileOptions()
T0 = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


def answered(outcome: Outcome) -> tuple[Lane, Delivery]:
    settled = settlement.settle(
        Lane(),
        start(want(None, "Available"), T0),
        outcome,
        sent="Available",
        steady=T0,
        jitter=0.0,
        reassert_jitter=0.0,
        options=OPTIONS,
    )
    assert settled.delivery is not None
    return settled.lane, settled.delivery


@pytest.mark.parametrize(
    ("outcome", "was"), [(Refused("018"), Parked.REFUSED), (Deferred("503"), Parked.DEFERRED)], ids=["refused", "503"]
)
def test_a_row_that_waits_is_due_at_once_with_what_is_desired(outcome: Outcome, was: Parked) -> None:
    lane, row = answered(outcome)
    found = retry(row, lane, T0)
    assert isinstance(found, Retried)
    assert (found.was, due_at(found.delivery), found.delivery.desired) == (was, AT_ONCE, "Available")
    assert found.delivery.refused == row.refused


def test_nothing_but_the_time_changes_so_that_no_guard_of_a_row_is_lost() -> None:
    lane, row = answered(Refused("018"))
    found = retry(row, lane, T0)
    assert isinstance(found, Retried)
    assert found.delivery == replace(row, not_before=None)


def test_the_second_order_has_nothing_to_do() -> None:
    lane, row = answered(Refused("018"))
    first = retry(row, lane, T0)
    assert isinstance(first, Retried)
    assert isinstance(retry(first.delivery, lane, T0), NotParked)


def test_a_request_that_is_under_way_stays_the_only_one() -> None:
    assert retry(start(want(None, "Available"), T0), Lane(), T0) == NotParked(
        "a request with it is under way: its answer comes first"
    )


def test_what_is_agreed_is_not_sent_again() -> None:
    lane, row = answered(Accepted())
    assert isinstance(retry(row, lane, T0), NotParked)


def test_what_is_due_already_goes_out_in_its_turn() -> None:
    paused = Lane(failures=3, paused_until=T0 + timedelta(seconds=42))
    assert retry(want(None, "Available"), Lane(), T0) == NotParked("it is due already: it goes out in its turn")
    assert retry(want(None, "Available"), paused, T0) == NotParked(
        "it is due already: the account pauses for 42 s more, since its hub fails"
    )


def test_what_holds_a_whole_account_stays_and_is_said() -> None:
    held = Lane(held="017: certificate", held_at=T0)
    found = retry(want(None, "Available"), held, T0)
    assert isinstance(found, Retried)
    assert (found.was, found.why) == (Parked.HELD, "017: certificate")
    assert found.waits == "the account is held (017: certificate), and tries by itself once a minute"


def test_a_row_that_alone_is_suspected_goes_out_at_once_and_stays_suspected() -> None:
    lane, row = answered(Held("403", perhaps_row=True))
    found = retry(row, lane, T0)
    assert isinstance(found, Retried)
    assert (due_at(found.delivery), found.delivery.suspect, found.waits) == (AT_ONCE, "403", "")
