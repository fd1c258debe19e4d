"""Take inventories in, and derive every EVSE that they touch in the same transaction.

Never parses a file. Before it: `inventory_file`. After it: `derive`, and the documents of the accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.core.model import Moment
from bridge.core.reconcile import reconfigured
from bridge.derive import Derived, DeriveOptions, derive
from bridge.documents import DocumentPlan, refresh
from bridge.inventory_file import Inventory, InventoryInvalid
from bridge.store import lanes
from bridge.store.availability import forget_orders
from bridge.store.changes import Changes, save
from bridge.store.errors import NeedsYes
from bridge.store.evses import homes, keep_published, stations_of
from bridge.store.inventory import ImportResult, import_inventory
from bridge.store.micros import to_micros
from bridge.store.stations import EvseKey, load
from bridge.store.transaction import Transaction
from bridge.store.writer import ItemFailed
from csms.events import StationId

_EVSES_A_TURN = 500
"""EVSEs that one statement names: a database takes only so many values."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An inventory to take in."""

    inventory: Inventory
    pepper: bytes
    make_salt: Callable[[], bytes]
    prune: bool
    yes: bool
    dry_run: bool
    at: Moment
    options: DeriveOptions
    documents: tuple[DocumentPlan, ...] = ()
    """What the accounts say besides statuses: the inventory decides which EVSEs and stations are theirs."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, and whose lanes have something to do now."""

    result: ImportResult
    derived: Derived


def import_inventories(conn: Transaction, orders: Sequence[ImportOrder]) -> list[Imported | ItemFailed]:
    """Take inventories in, each all or nothing, and derive every EVSE that it touched in the same transaction."""
    return [_import(conn, order) for order in orders]


def _import(conn: Transaction, order: ImportOrder) -> Imported | ItemFailed:
    savepoint = conn.begin_nested()
    before = homes(conn)
    try:
        result = import_inventory(
            conn,
            order.inventory,
            pepper=order.pepper,
            make_salt=order.make_salt,
            now=order.at.now,
            prune=order.prune,
            yes=order.yes,
        )
    except (InventoryInvalid, NeedsYes) as error:
        savepoint.rollback()
        return ItemFailed(error)
    if order.dry_run:
        savepoint.rollback()
        return Imported(result, Derived())
    _keep_what_moved(conn, before, order)
    savepoint.commit()
    derived = _derive_touched(conn, result.touched, order)
    derived.accounts |= refresh(conn, order.documents, order.at)
    return Imported(result, derived)


def _keep_what_moved(conn: Transaction, before: Mapping[EvseKey, StationId], order: ImportOrder) -> None:
    """A moved EVSE keeps its published value until the new station reports or `offline_after` passes."""
    moved = [key for key, station in homes(conn).items() if before.get(key, station) != station]
    keep_published(conn, moved, to_micros(order.at.steady + order.options.moved_keeps))
    forget_orders(conn, moved)


def _derive_touched(conn: Transaction, touched: Sequence[EvseKey], order: ImportOrder) -> Derived:
    derived = Derived()
    for first in range(0, len(touched), _EVSES_A_TURN):
        derived.add(_derive_some(conn, touched[first : first + _EVSES_A_TURN], order))
    return derived


def _derive_some(conn: Transaction, touched: Sequence[EvseKey], order: ImportOrder) -> Derived:
    derived = Derived()
    keys = set(touched)
    changes = Changes()
    for station in load(conn, stations_of(conn, touched)).values():
        wanted = keys & station.evses.keys()
        derived.add(derive(station, wanted, at=order.at, options=order.options, changes=changes))
    save(conn, changes)
    accounts = {route.account for routes in order.options.routes.values() for route in routes}
    for account in accounts:
        rows = lanes.load_rows(conn, account, touched)
        tried_again = [(row.key, after) for row in rows if (after := reconfigured(row.delivery)) is not row.delivery]
        lanes.save_rows(conn, account, tried_again, order.at.steady)
        if tried_again:
            derived.accounts.add(account)
    return derived
