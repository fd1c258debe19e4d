"""Move operators' orders into the store: inventory imports and account modes, each with what follows from it.

Runs as items of the one writer, so that an edit and the statuses around it have one order. Never parses a file and
never answers a request: `inventory_file` and `web` do. After it: lanes are woken without content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.core import full_load
from bridge.core.model import AccountName, Moment
from bridge.core.modes import Mode
from bridge.core.reconcile import reconfigured, reconfigured_lane
from bridge.derive import Derived, DeriveOptions, derive
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
    return Imported(result, _derive_touched(conn, result.touched, order))


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
            full = full_load.confirm(full, lanes.census(conn, order.account, order.at.steady))
        lanes.save_lane(conn, replace(stored, lane=reconfigured_lane(stored.lane), full_load=full))
    return [None] * len(orders)
