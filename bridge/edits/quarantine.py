"""Make a station in quarantine one of the inventory: import it, derive its EVSEs and end its quarantine at once.

Never touches another station. Before it: `bridge.app.quarantine_services`. After it: `inventory`, whose rules hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.edits.inventory import Imported, ImportOrder, import_inventories
from bridge.inventory_file import InventoryInvalid, RowError
from bridge.store.evses import owners
from bridge.store.jobs import ItemFailed
from bridge.store.quarantine import find_quarantined
from bridge.store.transaction import Transaction
from csms.events import StationId


@dataclass(frozen=True, slots=True)
class MapOrder:
    """A station in quarantine, and what the inventory is to say of it: its row and those of its EVSEs alone."""

    station: StationId
    order: ImportOrder


class NotQuarantined(Exception):
    """No such station is in quarantine: it was forgotten, mapped, or pushed out by others meanwhile."""

    def __init__(self, station: StationId) -> None:
        super().__init__(station)
        self.station = station

    def __str__(self) -> str:
        """Return the text for the operator."""
        return f"no station {self.station!r} is in quarantine"


def map_stations(conn: Transaction, orders: Sequence[MapOrder]) -> list[Imported | ItemFailed]:
    """Map stations, each all or nothing; it leaves its quarantine in the same transaction."""
    return [_map(conn, order) for order in orders]


def _map(conn: Transaction, order: MapOrder) -> Imported | ItemFailed:
    if find_quarantined(conn, order.station) is None:
        return ItemFailed(NotQuarantined(order.station))
    if taken := _taken(conn, order.order):
        return ItemFailed(InventoryInvalid(taken))
    # What the inventory knows leaves its quarantine with every import.
    return import_inventories(conn, [order.order])[0]


def _taken(conn: Transaction, order: ImportOrder) -> list[RowError]:
    """Return the EVSEs that another station has: an import would move them, and that is for a file to say."""
    rows = {row.evse_id: row for row in order.inventory.evses}
    return [
        RowError(
            rows[evse_id].line,
            "evse_id",
            evse_id,
            f"belongs to station {owner!r}; to move it here, import a file that lists it with this station",
        )
        for evse_id, owner in owners(conn, list(rows)).items()
    ]
