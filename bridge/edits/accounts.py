"""Carry out operators' orders about accounts: modes, new credentials, fullLoads, resyncs, deletions at the hub.

Never sends: an order changes what is due, and the account's lane does the rest. Before it: `web`. After it: `lane`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from bridge.core import full_load, reconcile
from bridge.core.documents import DocumentKind
from bridge.core.model import AccountName, Delivery, Moment
from bridge.core.modes import Mode
from bridge.core.reconcile import farewell, reconfigured_lane
from bridge.store import deliveries, documents, lanes
from bridge.store.documents import DocumentName
from bridge.store.jobs import ItemFailed
from bridge.store.micros import to_micros
from bridge.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class ModeOrder:
    """A mode to set, and the operator's yes to fullLoads where it was given."""

    account: AccountName
    mode: Mode
    by: str
    confirmed: bool
    at: Moment


def set_modes(conn: Transaction, orders: Sequence[ModeOrder]) -> list[None]:
    """Store modes; an account that was held is probed at once, since an operator has just looked after it."""
    for order in orders:
        lanes.set_mode(
            conn, order.account, order.mode.value, by=order.by, at_w=to_micros(order.at.now), confirmed=order.confirmed
        )
        stored = lanes.load_lane(conn, order.account)
        if stored is None:
            raise AssertionError("set_mode has just made the row")
        full = stored.full_load
        if order.confirmed:
            full = full_load.confirm(full, deliveries.census(conn, order.account, order.at.steady))
        lanes.save_lane(conn, replace(stored, full_load=full))
        _probe(conn, order.account, order.at)
    return [None] * len(orders)


@dataclass(frozen=True, slots=True)
class CredentialOrder:
    """An account's certificate or key has just been replaced."""

    account: AccountName
    at: Moment


def credentials_changed(conn: Transaction, orders: Sequence[CredentialOrder]) -> list[None]:
    """Let accounts that are held be probed at once, since their certificate or key has just been replaced."""
    for order in orders:
        _probe(conn, order.account, order.at)
    return [None] * len(orders)


def _probe(conn: Transaction, account: AccountName, at: Moment) -> None:
    """Let what holds an account's statuses and documents be put to the test at once, by the suspects too."""
    stored = lanes.load_lane(conn, account)
    if stored is not None and stored.lane.held is not None:
        lanes.save_lane(conn, replace(stored, lane=reconfigured_lane(stored.lane)))
        rows = [(row.key, _cleared(row.delivery)) for row in deliveries.suspects(conn, account, stored.lane.held)]
        deliveries.save_rows(conn, account, rows, at.steady)
    state = documents.load_document_lane(conn, account)
    if state.lane.held is not None:
        documents.save_document_lane(conn, replace(state, lane=reconfigured_lane(state.lane)))
        kept = [
            (row.name, _cleared(row.delivery), row.remote)
            for row in documents.suspected_documents(conn, account, state.lane.held)
        ]
        documents.save_documents(conn, account, kept, at.steady)


def _cleared(delivery: Delivery) -> Delivery:
    return reconcile.reconfigured(delivery) if delivery.suspect is not None else delivery


class NoSuchLane(Exception):
    """The account's lane was never opened: it has nothing to order."""

    def __init__(self, account: AccountName) -> None:
        super().__init__(account)
        self.account = account

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"{self.account} has never run: start the bridge with this account first"


# --- fullLoads ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FullLoadOrder:
    """A fullLoad that an operator wants now, knowing what it replaces."""

    account: AccountName
    of_data: bool
    """Of the EVSEs' data, which is followed by one of statuses; otherwise of statuses."""
    at: Moment


def request_full_loads(conn: Transaction, orders: Sequence[FullLoadOrder]) -> list[ItemFailed | None]:
    """Ask for fullLoads; each goes out as soon as its account may send."""
    return [_request_full_load(conn, order) for order in orders]


def _request_full_load(conn: Transaction, order: FullLoadOrder) -> ItemFailed | None:
    stored = lanes.load_lane(conn, order.account)
    if stored is None:
        return ItemFailed(NoSuchLane(order.account))
    if not order.of_data:
        census = deliveries.census(conn, order.account, order.at.steady)
        lanes.save_lane(conn, replace(stored, full_load=full_load.request(stored.full_load, census)))
        return None
    census = documents.census_of(conn, order.account, DocumentKind.EVSE_DATA, order.at.steady)
    state = documents.load_document_lane(conn, order.account)
    documents.save_document_lane(conn, replace(state, full_load=full_load.request(state.full_load, census)))
    lanes.save_lane(conn, replace(stored, full_load=structs.replace(stored.full_load, confirmed=True)))
    return None


# --- resync ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SyncOrder:
    """Everything that differs is to be sent now; with `forget`, everything."""

    account: AccountName
    forget: bool
    at: Moment


def sync_accounts(conn: Transaction, orders: Sequence[SyncOrder]) -> list[None]:
    """Make what differs from what the hub acknowledged due at once, refused rows included; or forget it all."""
    for order in orders:
        _sync(conn, order)
    return [None] * len(orders)


def _sync(conn: Transaction, order: SyncOrder) -> None:
    account, steady = order.account, order.at.steady
    rows = [
        (row.key, after)
        for row in deliveries.load_rows(conn, account)
        if (after := _due(row.delivery, order.forget)) is not row.delivery
    ]
    deliveries.save_rows(conn, account, rows, steady)
    kept = [
        (row.name, after, row.remote)
        for row in documents.load_documents(conn, account)
        if (after := _due(row.delivery, order.forget)) is not row.delivery
    ]
    documents.save_documents(conn, account, kept, steady)
    stored = lanes.load_lane(conn, account)
    if stored is not None:
        lanes.save_lane(conn, replace(stored, lane=reconfigured_lane(stored.lane)))
    state = documents.load_document_lane(conn, account)
    survey_at = None if state.survey_at is None else steady
    documents.save_document_lane(conn, replace(state, lane=reconfigured_lane(state.lane), survey_at=survey_at))


def _due(delivery: Delivery, forget: bool) -> Delivery:
    if delivery.tombstone and not reconcile.dirty(delivery):
        return delivery  # it was withdrawn: nothing is to be said of it
    return reconcile.forget(delivery) if forget else reconcile.reconfigured(delivery)


# --- deletions at the hub -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeletionOrder:
    """A station or a company that an operator wants deleted at the hub."""

    account: AccountName
    name: DocumentName
    at: Moment


class NotThere(Exception):
    """No such document was ever sent to the account."""

    def __init__(self, order: DeletionOrder) -> None:
        super().__init__(order)
        self.order = order

    def __str__(self) -> str:
        """Return the text for the operator."""
        kind, key = self.order.name
        return f"{self.order.account} was never told of {kind} {key[:256]}"


class StillListed(Exception):
    """The document is still wanted: the next refresh would create it again."""

    def __init__(self, order: DeletionOrder) -> None:
        super().__init__(order)
        self.order = order

    def __str__(self) -> str:
        """Return the text for the operator."""
        kind, key = self.order.name
        return f"{kind} {key[:256]} is still listed: take it out of the listing first"


def delete_documents(conn: Transaction, orders: Sequence[DeletionOrder]) -> list[ItemFailed | None]:
    """Ask for deletions at the hub, of what is no longer listed."""
    return [_delete(conn, order) for order in orders]


def _delete(conn: Transaction, order: DeletionOrder) -> ItemFailed | None:
    row = documents.load_document(conn, order.account, order.name)
    if row is None:
        return ItemFailed(NotThere(order))
    if not row.delivery.tombstone:
        return ItemFailed(StillListed(order))
    documents.save_documents(conn, order.account, [(row.name, farewell(row.delivery, ""), row.remote)], order.at.steady)
    return None
