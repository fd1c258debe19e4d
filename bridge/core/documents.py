"""Decide what a document row is beyond a delivery: when it may be sent, what the hub's answers taught about it.

A document is what a hub is told besides statuses: an EVSE's data at Hubject, a station or a company at Chargeprice, a
temporary status at Spirii. Its row is a `Delivery` whose `desired` is JSON, and a `Remote`. Never sends and never
stores. Before it: `bridge.documents`, which says what is desired. After it: `bridge.lane`. Twin: `reconcile`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import structs

from bridge.core import mirror, reconcile
from bridge.core.model import Accepted, Delivery, Moment, Outcome

_LOST_KEPT = 5
"""Creations with a lost answer that a row remembers; each waits for the doubt about the one before."""

_KEPT_WHEN_OVER = timedelta(days=1)
"""How long the hub's id of a temporary status that ended stays known: its end may be moved, or our clock set back."""


class DocumentKind(StrEnum):
    """What a document describes."""

    EVSE_DATA = "evse_data"
    """Source: OICP 2.3 CPO, eRoamingPushEvseData_V2.3, EvseDataRecordType."""
    STATION = "station"
    """Source: Chargeprice API, PUT /v2/charging_stations/:charging_station_id."""
    COMPANY = "company"
    """Source: Chargeprice API, PUT /v1/companies/:company_id."""
    TEMPORARY = "temporary"
    """Source: Spirii API, temporary-evse-statuses v2."""


CREATED_BY_HUB = frozenset({DocumentKind.TEMPORARY})
"""Kinds whose ids the hub gives: to create one twice makes two."""

_DELETED_WHEN_LEFT = frozenset({DocumentKind.EVSE_DATA, DocumentKind.TEMPORARY})


@dataclass(frozen=True, slots=True)
class Remote:
    """What the hub's answers taught about a document."""

    id: str = ""
    """The hub's own id; empty where it is not known, or is ours."""
    version: int = 0
    """The hub's lock version after its last answer; 0 where it is not known."""
    lost: tuple[str, ...] = ()
    """Contents of creations whose answers were lost, one each: the hub may hold an object for any of them."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What one answer taught; None where it says nothing of it."""

    id: str | None = None
    version: int | None = None
    lost: tuple[str, ...] | None = None
    """Creations that may still have made an object; what is not among them has been proven to have made none."""


def canonical_json(document: Mapping[str, Any]) -> str:
    """Return a document as the text that is stored and compared: keys sorted, no spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def want(kind: DocumentKind, previous: Delivery | None, remote: Remote, content: str) -> Delivery:
    """Return the row that asks for `content`, as `reconcile.want`; what has no id of the hub's is not there yet."""
    wanted = reconcile.want(previous, content)
    if kind not in CREATED_BY_HUB or remote.id or reconcile.dirty(wanted):
        return wanted
    return reconcile.forget(wanted)


def due_at(kind: DocumentKind, delivery: Delivery, remote: Remote) -> datetime | None:
    """Return from when on the row may be sent, as `reconcile.due_at`.

    Where a creation's answer was lost the hub may still create it: nothing is sent before that doubt is over, since
    a second creation would make a second object.
    """
    due = reconcile.due_at(delivery)
    if due is None or not remote.lost or remote.id or delivery.doubt_until is None:
        return due
    return max(due, delivery.doubt_until) if kind in CREATED_BY_HUB else due


def start(kind: DocumentKind, delivery: Delivery, remote: Remote, steady: datetime) -> tuple[Delivery, Remote]:
    """Return the row as it must be stored before it is sent; a creation is remembered until it is answered."""
    started = reconcile.start(delivery, steady)
    if kind not in CREATED_BY_HUB or remote.id or not delivery.desired:
        return started, remote
    return started, replace(remote, lost=(*remote.lost, delivery.desired)[-_LOST_KEPT:])


def learn(remote: Remote, outcome: Outcome, learnt: Learnt) -> Remote:
    """Return what is known of the hub's object after an answer.

    What was lost stays remembered while an answer leaves it open; one that proves what the hub holds ends that.
    """
    after = Remote(
        id=remote.id if learnt.id is None else learnt.id,
        version=remote.version if learnt.version is None else learnt.version,
        lost=remote.lost if learnt.lost is None else learnt.lost,
    )
    if isinstance(outcome, Accepted) or after.id:
        return replace(after, lost=())
    return after


def leave(kind: DocumentKind, delivery: Delivery, remote: Remote, at: Moment) -> Delivery | None:
    """Return the row of a document that is no longer wanted; None: the row just goes.

    What no request ever carried needs no farewell. The data of an EVSE is deleted at the hub, and so is a temporary
    status, unless it has ended: then the hub's entry has ended by itself, and its id is forgotten a day later. A
    station or a company is deleted only on request, since that cannot be taken back: nothing more is sent of it, and
    its lock version stays known for a return.
    """
    if reconcile.never_sent(delivery):
        return None
    if kind is DocumentKind.TEMPORARY and _all_over(delivery, remote, at.now):
        return None if _all_over(delivery, remote, at.now - _KEPT_WHEN_OVER) else delivery
    if kind in _DELETED_WHEN_LEFT:
        return reconcile.farewell(delivery, "")
    return structs.replace(
        delivery,
        desired=delivery.acked or delivery.desired,
        acked_seq=delivery.desired_seq,
        tombstone=True,
        doubt_until=None,
        not_before=None,
        refused=None,
        refused_seq=0,
    )


# --- what ends by itself --------------------------------------------------------------------------------------------


def ended(kind: DocumentKind, content: str, now: datetime) -> bool:
    """Tell whether a document says something that time has ended: it is not created, changed or asserted any more."""
    return kind is DocumentKind.TEMPORARY and mirror.is_over(content, now)


def pass_over(kind: DocumentKind, delivery: Delivery, remote: Remote, at: Moment) -> Delivery | None:
    """Return a row that is due as it is to be sent; another one, or None, where it need not be, since it has ended.

    Another one: quiet until it is wanted again; or a deletion, where the hub may hold an entry of it that does not end
    by itself. None: it goes, since the hub has nothing of it, or what was to be deleted has ended.
    """
    if kind is not DocumentKind.TEMPORARY:
        return delivery
    if not delivery.desired:
        return None if _all_over(delivery, remote, at.now) else delivery
    if not mirror.is_over(delivery.desired, at.now):
        return delivery
    if not _all_over(delivery, remote, at.now):
        return reconcile.farewell(delivery, "")
    return reconcile.quiet(delivery, at.steady) if remote.id or remote.lost else None


def _all_over(delivery: Delivery, remote: Remote, now: datetime) -> bool:
    """Tell whether all that the hub may hold of a temporary status has ended by this wall time.

    While a change is in flight or in doubt nobody knows its text any more: it need not be the one that is wanted now.
    """
    if remote.id and (delivery.in_flight_seq or delivery.doubt_until is not None):
        return False
    return all(mirror.is_over(content, now) for content in (delivery.acked, *remote.lost) if content)
