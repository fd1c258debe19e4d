"""Decide about document rows beyond what a delivery is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.core import documents, reconcile
from bridge.core.documents import DocumentKind, Learnt, Remote
from bridge.core.model import Accepted, Deferred, Delivery, Refused

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
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
    left = documents.leave(kind, row)
    assert left is not None
    assert (left.desired, left.tombstone, reconcile.dirty(left)) == ("", True, True)


@pytest.mark.parametrize("kind", [DocumentKind.STATION, DocumentKind.COMPANY])
def test_station_that_left_is_told_nothing_more_and_nothing_is_deleted(kind: DocumentKind) -> None:
    row = Delivery(desired='{"n":2}', desired_seq=2, acked='{"n":1}', acked_seq=1, attempted_at=NOON, doubt_until=DOUBT)
    left = documents.leave(kind, row)
    assert left is not None
    assert (left.desired, left.tombstone, reconcile.due_at(left)) == ('{"n":1}', True, None)


@pytest.mark.parametrize("kind", list(DocumentKind))
def test_what_was_never_sent_just_goes(kind: DocumentKind) -> None:
    assert documents.leave(kind, Delivery(desired="{}", desired_seq=1)) is None


def test_station_that_returns_is_sent_again() -> None:
    row = Delivery(desired="{}", desired_seq=1, acked="{}", acked_seq=1, attempted_at=NOON)
    left = documents.leave(DocumentKind.STATION, row)
    assert left is not None
    again = reconcile.want(left, "{}")
    assert (again.tombstone, reconcile.due_at(replace(again))) == (False, reconcile.AT_ONCE)
