"""Read the inventory file: CSV, one row per connector, into stations, EVSEs and connectors, or every mistake in it.

Never touches the store or a file: the content and a reader of key files are arguments. After it: `store.inventory`.

Columns that belong to the station (version, key, security …) or to the EVSE (operator …) may be written on one of its
rows or on all of them, but never differently. No text made here shows a key.
"""

from __future__ import annotations

from bridge.inventory_file.parser import parse_inventory
from bridge.inventory_file.rows import (
    ConnectorRow,
    EvseRow,
    Inventory,
    InventoryInvalid,
    RowError,
    RowWarning,
    StationRow,
)

__all__ = [
    "ConnectorRow",
    "EvseRow",
    "Inventory",
    "InventoryInvalid",
    "RowError",
    "RowWarning",
    "StationRow",
    "parse_inventory",
]
