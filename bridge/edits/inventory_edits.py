"""Edit single rows of the inventory: an import of them alone, if what was seen of them is still so.

Never parses a row, and knows no rule that an import has not. Before it: `bridge.app.inventory_edits`. After it:
`inventory`, and so deliveries, documents and wakes follow as after an import.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.edits.inventory import Imported, ImportOrder, import_inventories
from bridge.store.inventory_lines import Looked, look
from bridge.store.jobs import ItemFailed
from bridge.store.transaction import Transaction
from csms.events import StationId


@dataclass(frozen=True, slots=True)
class EditOrder:
    """Rows to be taken in and taken out."""

    order: ImportOrder
    seen: Looked
    """What the rows were made from."""
    absent: frozenset[StationId] = frozenset()
    """Stations that were looked for and not there."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did, and what is there now."""

    imported: Imported
    now: Looked


class EditedMeanwhile(Exception):
    """Somebody else changed these rows between the look at them and the edit; nothing was changed."""


def edit_inventories(conn: Transaction, orders: Sequence[EditOrder]) -> list[Edited | ItemFailed]:
    """Carry edits out, each all or nothing."""
    return [_edit(conn, order) for order in orders]


def _edit(conn: Transaction, order: EditOrder) -> Edited | ItemFailed:
    stations = [*order.seen.stations, *order.absent]
    evse_ids = [row.evse_id for row in order.order.inventory.evses]
    if look(conn, stations, evse_ids) != order.seen:
        return ItemFailed(EditedMeanwhile())
    imported = import_inventories(conn, [order.order])[0]
    return imported if isinstance(imported, ItemFailed) else Edited(imported, look(conn, stations, evse_ids))
