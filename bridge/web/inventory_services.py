"""State what the web and the command line need of the bridge to edit single rows of the inventory.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bridge.core.etags import Condition
from bridge.web.inventory_shapes import (
    InventoryEdit,
    InventoryEvse,
    InventoryEvseChange,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationChange,
    InventoryStationWish,
)


@dataclass(frozen=True, slots=True)
class EditWay:
    """How an edit is made."""

    condition: Condition
    """What must be so of what is edited."""
    yes: bool = False
    """Remove even more than a tenth of the stations or EVSEs."""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class EditDone:
    """What an edit did."""

    report: InventoryEdit
    created: bool = False
    tag: str | None = None
    """ETag of what is there now; None: nothing is, or it is not known."""


class InventoryEdits(Protocol):
    """Every method may raise Unavailable.

    Whatever edits may raise NotFound, Changed (the condition does not hold), RowsRefused (each mistake's line is the
    number of a connector of the body), ValueRefused, and NeedsYes where more than a tenth would be removed.
    """

    async def get_evse(self, evse_id: str) -> InventoryEvse:
        """Return what the inventory says of an EVSE, in any spelling of its id. Raises: NotFound, ValueRefused."""
        ...

    async def put_evse(self, evse_id: str, wish: InventoryEvseWish, way: EditWay) -> EditDone:
        """Make an EVSE, or replace what is said of it."""
        ...

    async def change_evse(self, evse_id: str, change: InventoryEvseChange, way: EditWay) -> EditDone:
        """Change what the change names."""
        ...

    async def remove_evse(self, evse_id: str, way: EditWay) -> EditDone:
        """Take an EVSE out; hubs are told. Its station stays."""
        ...

    async def get_station(self, station: str) -> InventoryStation:
        """Return what the inventory says of a station. Raises: NotFound."""
        ...

    async def put_station(self, station: str, wish: InventoryStationWish, way: EditWay) -> EditDone:
        """Make a station, or replace what is said of it and its EVSEs."""
        ...

    async def change_station(self, station: str, change: InventoryStationChange, way: EditWay) -> EditDone:
        """Change what the change names."""
        ...

    async def remove_station(self, station: str, way: EditWay) -> EditDone:
        """Take a station out, with its EVSEs."""
        ...
