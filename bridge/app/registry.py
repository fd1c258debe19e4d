"""Find stations in the store for the OCPP side. Implements `csms.ports.Registry`; never writes."""

from __future__ import annotations

from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.inventory import find_station
from csms.ports import NotRecorded
from csms.records import StationRecord


class StoreRegistry:
    """The stations of the inventory; identities that differ only in case are one station."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def find(self, identity: str) -> StationRecord | None:
        """Return the station's record, or None where it is unknown. Raises: NotRecorded."""
        try:
            async with self._store.read() as connection:
                return await connection.run_sync(find_station, identity.casefold())
        except StoreError as error:
            raise NotRecorded(str(error)) from error
