"""Decide about document rows beyond what a delivery is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from bridge.core import documents, reconcile
from bridge.core.documents import DocumentKind, Learnt, Remote
from bridge.core.model import Accepted, Deferred, Delivery, Moment, Refused

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
AT = Moment(NOON, NOON)
DOUBT = NOON + timedelta(seconds=90)


def test_stored_text_is_the_same_for_the_same_document() -> None:
    assert documents.canonical_json({"b": [1, 2.5], "a": "Straße"}) == '{"a":"Straße","b":[1,2.5]}'
    assert documents.canonical_json({"a": "Straße", "b": [1, 2.5]}) == '{"a":"Straße","b":[1,2.5]}'


@pytest.mark.parametrize(
    ("kind", "remote", "expected"),
    [
        pytest.param(DocumentKind.TEMPORARY, Remote(lost=("{}",)), DOUBT, id="a second creation makes a second entry"),
        pytest.param(DocumentKind.TEMPORARY, Remote(id="7", lost=("{}",)), reconcile.AT_ONCE, id="a change does not"),
        pytest.param(DocumentKind.STATION, Remote(lost=("{}",)), reconcile.AT_ONCE, id="its id is ours"),
    ],
)
def test_lost_creation_waits_until_the_hub_can_no_longer_apply_it(
    kind: DocumentKind, remote: Remote, expected: datetime
) -> None:
    row = Delivery(desired="{}", desired_seq=2, acked_seq=0, doubt_until=DOUBT)
    assert documents.due_at(kind, row, remote) == expected


def test_creation_is_remembered_before_it_is_sent_and_until_it_is_answered() -> None:
    row, remote = documents.start(DocumentKind.TEMPORARY, Delivery(desired="A", desired_seq=1), Remote(), NOON)
    assert (row.in_flight_seq, remote) == (1, Remote(lost=("A",)))
    assert documents.learn(remote, Deferred("timeout", in_doubt=True), Learnt()) == Remote(lost=("A",))
    assert documents.learn(remote, Refused("no"), Learnt()) == Remote(lost=("A",))
    assert documents.learn(remote, Accepted(), Learnt(id="42")) == Remote(id="42")


def test_deletion_and_change_remember_no_creation() -> None:
    gone = Delivery(desired="", desired_seq=2, tombstone=True)
    assert documents.start(DocumentKind.TEMPORARY, gone, Remote(), NOON)[1] == Remote()
    there = Delivery(desired="B", desired_seq=2)
    assert documents.start(DocumentKind.TEMPORARY, there, Remote(id="42"), NOON)[1] == Remote(id="42")
    assert documents.start(DocumentKind.STATION, there, Remote(), NOON)[1] == Remote()


def test_lock_version_stays_where_an_answer_tells_none() -> None:
    assert documents.learn(Remote(version=3), Deferred("HTTP 503"), Learnt()) == Remote(version=3)
    assert documents.learn(Remote(version=3), Accepted(), Learnt(version=4)) == Remote(version=4)


@pytest.mark.parametrize("kind", [DocumentKind.EVSE_DATA, DocumentKind.TEMPORARY])
def test_what_left_is_deleted_at_the_hub(kind: DocumentKind) -> None:
    row = Delivery(desired="{}", desired_seq=1, acked="{}", acked_seq=1, attempted_at=NOON)
    left = documents.leave(kind, row, Remote(), AT)
    assert left is not None
    assert (left.desired, left.tombstone, reconcile.dirty(left)) == ("", True, True)


@pytest.mark.parametrize("kind", [DocumentKind.STATION, DocumentKind.COMPANY])
def test_station_that_left_is_told_nothing_more_and_nothing_is_deleted(kind: DocumentKind) -> None:
    row = Delivery(desired='{"n":2}', desired_seq=2, acked='{"n":1}', acked_seq=1, attempted_at=NOON, doubt_until=DOUBT)
    left = documents.leave(kind, row, Remote(), AT)
    assert left is not None
    assert (left.desired, left.tombstone, reconcile.due_at(left)) == ('{"n":1}', True, None)


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_what_was_never_sent_just_goes(kind: DocumentKind) -> None:
    assert documents.leave(kind, Delivery(desired="{}", desired_seq=1), Remote(), AT) is None


def test_station_that_returns_is_sent_again() -> None:
    row = Delivery(desired="{}", desired_seq=1, acked="{}", acked_seq=1, attempted_at=NOON)
    left = documents.leave(DocumentKind.STATION, row, Remote(), AT)
    assert left is not None
    again = reconcile.want(left, "{}")
    assert (again.tombstone, reconcile.due_at(replace(again))) == (False, reconcile.AT_ONCE)


# --- what the hub may hold of a creation, and what ends by itself ----------------------------------------------------


def wish(valid_to: str | None, kind: str = "BLOCKED") -> str:
    return documents.canonical_json(
        {"evseId": "DE*ABC*E1", "temporaryStatus": kind, "validFrom": "2026-11-25T08:00:00Z", "validTo": valid_to}
    )


OPEN, OVER, LATER = wish(None), wish("2026-11-25T12:00:00Z"), wish("2026-11-25T13:00:00Z")
DAY_LATER = Moment(NOON + timedelta(days=1), NOON + timedelta(days=1))
TEMPORARY = DocumentKind.TEMPORARY


def test_answer_that_proves_that_nothing_was_made_ends_what_was_lost() -> None:
    assert documents.learn(Remote(lost=("A", "B")), Refused("no"), Learnt(lost=())) == Remote()
    assert documents.learn(Remote(lost=("A", "B")), Deferred("timeout"), Learnt(lost=("B",))) == Remote(lost=("B",))


def test_every_creation_that_may_have_been_sent_counts_as_one() -> None:
    row = Delivery(desired="A", desired_seq=1)
    assert documents.start(TEMPORARY, row, Remote(lost=("A",)), NOON)[1] == Remote(lost=("A", "A"))


@pytest.mark.parametrize(
    ("acked", "remote", "expected"),
    [
        pytest.param(OVER, Remote(id="7"), "kept for a day", id="the hub's entry has ended by itself"),
        pytest.param(None, Remote(lost=(OVER,)), "kept for a day", id="so has the one that a lost creation made"),
        pytest.param(None, Remote(), "goes", id="the hub has nothing"),
        pytest.param(OPEN, Remote(id="7"), "deleted", id="the hub was never told of the end"),
        pytest.param(None, Remote(lost=(OPEN, OVER)), "deleted", id="a lost creation may have made one without an end"),
    ],
)
def test_ended_entry_is_not_deleted_and_one_that_would_stay_is(
    acked: str | None, remote: Remote, expected: str
) -> None:
    row = Delivery(desired=OVER, desired_seq=2, acked=acked, acked_seq=1, attempted_at=NOON)
    left = documents.leave(TEMPORARY, row, remote, AT)
    if expected == "deleted":
        assert left is not None
        assert (left.desired, left.tombstone) == ("", True)
        return
    assert left is (row if expected == "kept for a day" else None)
    assert documents.leave(TEMPORARY, row, remote, DAY_LATER) is None


def test_entry_whose_change_may_have_gone_unheard_is_deleted() -> None:
    row = Delivery(desired=OVER, desired_seq=2, acked=OVER, acked_seq=1, attempted_at=NOON, doubt_until=DOUBT)
    left = documents.leave(TEMPORARY, row, Remote(id="7"), AT)
    assert left is not None
    assert left.tombstone


def test_due_row_that_has_not_ended_is_sent_as_it_is() -> None:
    row = Delivery(desired=LATER, desired_seq=1)
    assert documents.pass_over(TEMPORARY, row, Remote(), AT) is row
    data = Delivery(desired="{}", desired_seq=1)
    assert documents.pass_over(DocumentKind.EVSE_DATA, data, Remote(), AT) is data


def test_due_row_that_has_ended_is_never_created() -> None:
    assert documents.pass_over(TEMPORARY, Delivery(desired=OVER, desired_seq=1), Remote(), AT) is None


def test_due_row_that_has_ended_is_not_told_and_is_sent_again_when_its_end_is_moved() -> None:
    row = Delivery(desired=OVER, desired_seq=2, acked=OVER, attempted_at=NOON, refused="no", refused_seq=2)
    passed = documents.pass_over(TEMPORARY, row, Remote(id="7"), AT)
    assert passed is not None
    assert (reconcile.due_at(passed), passed.refused) == (None, None)
    again = documents.want(TEMPORARY, passed, Remote(id="7"), LATER)
    assert reconcile.due_at(again) == reconcile.AT_ONCE


def test_creation_in_doubt_that_ended_is_looked_for_again_when_the_clock_is_set_back() -> None:
    row = Delivery(desired=OVER, desired_seq=1, attempted_at=NOON, doubt_until=NOON)
    passed = documents.pass_over(TEMPORARY, row, Remote(lost=(OVER,)), AT)
    assert passed is not None
    assert documents.due_at(TEMPORARY, passed, Remote(lost=(OVER,))) is None
    again = documents.want(TEMPORARY, passed, Remote(lost=(OVER,)), OVER)
    assert documents.due_at(TEMPORARY, again, Remote(lost=(OVER,))) == reconcile.AT_ONCE


def test_deletion_of_what_has_ended_meanwhile_just_goes() -> None:
    gone = Delivery(desired="", desired_seq=2, acked=OVER, acked_seq=1, tombstone=True, attempted_at=NOON)
    assert documents.pass_over(TEMPORARY, gone, Remote(id="7"), AT) is None
    still = replace(gone, acked=LATER)
    assert documents.pass_over(TEMPORARY, still, Remote(id="7"), AT) is still
