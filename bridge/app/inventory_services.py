"""Take the inventory in for operators, and show it: the part of `services` that is about the inventory file.

Before it: `web`, or the command line with the bridge stopped. After it: `edits.inventory`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bridge.app.belonging import foreign_warnings
from bridge.app.evse_services import connector_key
from bridge.app.follow import Follow
from bridge.app.imports_shown import import_report, inventory_rows, row_errors
from bridge.app.prepared_keys import prepared_keys
from bridge.core.model import Moment
from bridge.derive import DeriveOptions
from bridge.documents import DocumentPlan
from bridge.edits import ImportOrder, import_inventories
from bridge.inventory_file import InventoryInvalid, parse_inventory
from bridge.inventory_file.writing import write_lines
from bridge.settings import Settings
from bridge.store.connector_readings import read_inventory_page
from bridge.store.engine import Store
from bridge.store.errors import NeedsYes as StoreNeedsYes
from bridge.store.errors import StoreError
from bridge.store.inventory import list_inventory
from bridge.store.inventory_lines import inventory_lines
from bridge.store.writer import Writer
from bridge.web.page import Page
from bridge.web.paging import next_page
from bridge.web.services import NeedsYes, RowsRefused, Unavailable
from bridge.web.shapes import (
    ImportReport,
    ImportRequest,
    InventoryList,
)
from csms.auth import StationKeys
from csms.quirks import profile_names

_ALL = "inventory"


class InventoryServices:
    """What `StoreServices` does about the inventory; it brings the parts."""

    _settings: Settings
    _store: Store
    _writer: Writer
    _clock: Callable[[], Moment]
    _keys: StationKeys
    _documents: tuple[DocumentPlan, ...]
    _derive: DeriveOptions
    _follow: Follow

    async def import_inventory(self, request: ImportRequest) -> ImportReport:
        """Apply an inventory file as a whole or not at all. Raises: RowsRefused, NeedsYes, Unavailable."""
        try:
            inventory = await asyncio.to_thread(
                parse_inventory,
                request.csv,
                operators=self._settings.operators,
                read_key_file=lambda path: Path(path).read_bytes(),
                quirks=profile_names(),
            )
            order = ImportOrder(
                inventory=inventory,
                keys=await prepared_keys(self._keys, self._store, inventory),
                prune=request.prune,
                yes=request.yes,
                dry_run=request.dry_run,
                at=self._clock(),
                options=self._derive,
                documents=self._documents,
            )
            imported = await self._writer.submit(import_inventories, order)
        except InventoryInvalid as error:
            raise RowsRefused(row_errors(error)) from error
        except StoreNeedsYes as error:
            report = import_report(error.result, applied=False)
            if request.dry_run:
                return report.model_copy(update={"warnings": (*report.warnings, str(error))})
            raise NeedsYes(str(error), report) from error
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if not request.dry_run:
            self._follow.imported(imported)
        report = import_report(imported.result, applied=not request.dry_run)
        foreign = foreign_warnings(self._settings, [(row.evse_id, row.operator) for row in inventory.evses])
        return report.model_copy(update={"warnings": (*report.warnings, *foreign)})

    async def export_inventory(self) -> str:
        """Return the inventory as a CSV file, without keys. Raises: Unavailable."""
        try:
            async with self._store.read() as connection:
                lines = await inventory_lines(connection)
        except StoreError as error:
            raise Unavailable(str(error)) from error
        return await asyncio.to_thread(write_lines, lines)

    async def list_inventory(self, page: Page | None = None) -> InventoryList:
        """Return the connectors of the inventory, all without a page. Raises: WrongCursor, Unavailable."""
        try:
            async with self._store.read() as connection:
                if page is None:
                    return InventoryList(items=inventory_rows(await connection.run_sync(list_inventory)))
                question = partial(read_inventory_page, after=connector_key(page, _ALL), limit=page.limit + 1)
                rows = inventory_rows(await connection.run_sync(question))
        except StoreError as error:
            raise Unavailable(str(error)) from error
        shown, cursor = next_page(rows, page, _ALL, lambda row: (row.station, row.evse, row.connector))
        return InventoryList(items=tuple(shown), next_cursor=cursor)
