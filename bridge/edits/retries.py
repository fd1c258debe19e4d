"""Carry out operators' orders to try a row again: a status or a document that was refused, or that waits.

Never sends: the row becomes due, and the account's lane does the rest. Before it: `web`. After it: `lane`. Decision:
`core.retrying`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, EvseId, Lane, Moment
from bridge.core.retrying import NotParked, Retried, retry
from bridge.store import deliveries, documents, lanes
from bridge.store.deliveries import DeliveryRow
from bridge.store.documents import DocumentRow
from bridge.store.jobs import ItemFailed
from bridge.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RetryOrder:
    """The status of an EVSE to send now, or with a `kind` the document of this key."""

    account: AccountName
    key: str
    """EVSE id as the inventory spells it, or the document's key."""
    at: Moment
    kind: DocumentKind | None = None


@dataclass(frozen=True, slots=True)
class Ordered:
    """What will be sent, and why it waited."""

    value: str
    retried: Retried


class NothingSuch(Exception):
    """The account is told nothing of that name."""


@dataclass
class NotWaiting(Exception):
    """The row is not parked; its text says how it stands."""

    why: str

    def __str__(self) -> str:
        """Return the text for the operator."""
        return self.why


def retry_rows(conn: Transaction, orders: Sequence[RetryOrder]) -> list[Ordered | ItemFailed]:
    """Make rows due that wait, each by itself."""
    return [_retry_status(conn, order) if order.kind is None else _retry_document(conn, order) for order in orders]


def _retry_status(conn: Transaction, order: RetryOrder) -> Ordered | ItemFailed:
    rows: list[DeliveryRow] = deliveries.rows_of(conn, order.account, EvseId(order.key))
    if not rows:
        return ItemFailed(NothingSuch())
    (row,) = rows
    stored = lanes.load_lane(conn, order.account)
    decided = retry(row.delivery, Lane() if stored is None else stored.lane, order.at.steady)
    if isinstance(decided, NotParked):
        return ItemFailed(NotWaiting(decided.why))
    deliveries.save_rows(conn, order.account, [(row.key, decided.delivery)], order.at.steady)
    return Ordered(row.delivery.desired, decided)


def _retry_document(conn: Transaction, order: RetryOrder) -> Ordered | ItemFailed:
    kind = order.kind
    row: DocumentRow | None = None if kind is None else documents.load_document(conn, order.account, (kind, order.key))
    if row is None:
        return ItemFailed(NothingSuch())
    decided = retry(row.delivery, _pace_of_documents(conn, order), order.at.steady)
    if isinstance(decided, NotParked):
        return ItemFailed(NotWaiting(decided.why))
    documents.save_documents(conn, order.account, [(row.name, decided.delivery, row.remote)], order.at.steady)
    return Ordered("", decided)


def _pace_of_documents(conn: Transaction, order: RetryOrder) -> Lane:
    """Return what holds documents: a pause of the whole account does as well as their own."""
    stored, own = lanes.load_lane(conn, order.account), documents.load_document_lane(conn, order.account).lane
    if own.held is not None or stored is None or stored.lane.paused_until is None:
        return own
    later = max(stored.lane.paused_until, own.paused_until or stored.lane.paused_until)
    return structs.replace(own, paused_until=later)
