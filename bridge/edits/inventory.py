"""Take inventories in, and derive every EVSE that they touch in the same transaction.

Never parses a file. Before it: `inventory_file`. After it: `derive`, and the documents of the accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.core.model import Moment
from bridge.derive import Derived, DeriveOptions
from bridge.documents import DocumentPlan, refresh
from bridge.edits.touched import derive_touched
from bridge.inventory_file import Inventory, InventoryInvalid
from bridge.store.availability import forget_orders
from bridge.store.errors import NeedsYes
from bridge.store.evses import homes, keep_published
from bridge.store.inventory import ImportResult, import_inventory
from bridge.store.inventory_plan import NOTHING_REMOVED, Removals
from bridge.store.jobs import ItemFailed
from bridge.store.listed_stations import match_listed
from bridge.store.micros import to_micros
from bridge.store.quarantine import drop_known
from bridge.store.station_keys import StationKeys
from bridge.store.stations import EvseKey
from bridge.store.transaction import Transaction
from csms.events import StationId


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """An inventory to take in."""

    inventory: Inventory
    keys: StationKeys
    prune: bool
    yes: bool
    dry_run: bool
    at: Moment
    options: DeriveOptions
    documents: tuple[DocumentPlan, ...] = ()
    """What the accounts say besides statuses: the inventory decides which EVSEs and stations are theirs."""
    remove: Removals = NOTHING_REMOVED
    """Goes, of what the inventory does not list."""


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
            keys=order.keys,
            now=order.at.now,
            prune=order.prune,
            remove=order.remove,
            yes=order.yes,
        )
    except (InventoryInvalid, NeedsYes) as error:
        savepoint.rollback()
        return ItemFailed(error)
    if order.dry_run:
        savepoint.rollback()
        return Imported(result, Derived())
    _keep_what_moved(conn, before, order)
    drop_known(conn)
    savepoint.commit()
    touched = [*dict.fromkeys([*result.touched, *match_listed(conn)])]
    derived = derive_touched(conn, touched, order.at, order.options)
    derived.accounts |= refresh(conn, order.documents, order.at)
    return Imported(result, derived)


def _keep_what_moved(conn: Transaction, before: Mapping[EvseKey, StationId], order: ImportOrder) -> None:
    """A moved EVSE keeps its published value until the new station reports or `offline_after` passes."""
    moved = [key for key, station in homes(conn).items() if before.get(key, station) != station]
    keep_published(conn, moved, to_micros(order.at.steady + order.options.moved_keeps))
    forget_orders(conn, moved)
