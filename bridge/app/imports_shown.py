"""Turn what imports did, and what they brought in, into the shapes that operators see. Pure.

Before it: `inventory_services`, `listing_services`. Beside it: `shown`, for EVSEs and their deliveries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from bridge.inventory_file import InventoryInvalid
from bridge.listing_file import ListingInvalid
from bridge.store.inventory import ImportResult, InventoryEntry
from bridge.store.listings import ListingName, ListingResult, ListingRow
from bridge.web.shapes import ImportReport, InventoryRow, ListingItem, RowError
from csms.events import ConnectorAddress


def import_report(result: ImportResult, *, applied: bool) -> ImportReport:
    """Show what an import changed, or would have."""
    diff = result.diff
    return ImportReport(
        applied=applied,
        stations_added=diff.stations_added,
        stations_changed=diff.stations_changed,
        stations_removed=diff.stations_removed,
        evses_added=diff.evses_added,
        evses_changed=diff.evses_changed,
        evses_removed=diff.evses_removed,
        warnings=tuple(f"line {warning.line}: {warning.text}" for warning in result.warnings),
    )


def row_errors(error: InventoryInvalid) -> list[RowError]:
    """Show every wrong row of a file."""
    return [RowError(line=row.line, column=row.column, value=row.value, problem=row.wanted) for row in error.errors]


def listing_report(result: ListingResult, *, applied: bool) -> ImportReport:
    """Show what the import of a listing changed, or would have."""
    diff = result.diff
    return ImportReport(
        applied=applied,
        listings_added=_named(diff.added),
        listings_changed=_named(diff.changed),
        listings_removed=_named(diff.removed),
        listings_unlisted=_named(diff.unlisted),
        warnings=result.warnings,
    )


def _named(names: Iterable[ListingName]) -> tuple[str, ...]:
    return tuple(f"{kind} {key}" for kind, key in names)


def listing_errors(error: ListingInvalid) -> list[RowError]:
    """Show every mistake of a listing file."""
    return [RowError(line=0, column=row.place, value=row.value, problem=row.wanted) for row in error.errors]


def listing_items(rows: Iterable[ListingRow]) -> tuple[ListingItem, ...]:
    """Show everything that is listed."""
    return tuple(
        ListingItem.model_validate(
            {"kind": str(row.kind), "key": row.key, "reference": row.reference, "content": json.loads(row.content)}
        )
        for row in rows
    )


def inventory_rows(entries: Iterable[InventoryEntry]) -> tuple[InventoryRow, ...]:
    """Show every connector, in the order of station, evse, connector."""
    rows = [
        InventoryRow(
            station=entry.station,
            version=_version(address),
            security=entry.security,
            evse=address.evse,
            connector=address.connector,
            evse_id=entry.evse_id,
            operator=entry.operator,
            layer0=entry.layer0.value,
            chargeprice_station=entry.chargeprice_station,
            chargeprice_point=entry.chargeprice_point,
            spirii=entry.spirii,
        )
        for entry in entries
        for address in entry.connectors
    ]
    return tuple(sorted(rows, key=lambda row: (row.station, row.evse, row.connector)))


def _version(address: ConnectorAddress) -> str:
    """Return the version by the form of the address: only OCPP 1.6 counts connectors without an EVSE."""
    return "1.6" if address.evse == 0 else "2.x"
