"""Find stations in the store for the OCPP side. Implements `csms.ports.Registry`; never writes.

Whoever asks while a read is under way shares the next one: a thousand stations that return together cost a few reads.
"""

from __future__ import annotations

import asyncio

from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.station_records import find_stations
from csms.ports import NotRecorded
from csms.records import StationRecord

_Found = asyncio.Future[StationRecord | None]


class StoreRegistry:
    """The stations of the inventory; identities that differ only in case are one station."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, _Found] = {}
        """Who the next read is to find, by casefolded identity; none of them is being read yet."""
        self._reader: asyncio.Task[None] | None = None

    async def find(self, identity: str) -> StationRecord | None:
        """Return the station's record, read after this call, or None where it is unknown. Raises: NotRecorded."""
        folded = identity.casefold()
        found = self._waiting.get(folded)
        if found is None:
            found = self._waiting[folded] = asyncio.get_running_loop().create_future()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_all(), name="read stations")
        return await asyncio.shield(found)  # who gives up leaves the others theirs

    async def _read_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, {}
                await self._read(asked)
        finally:
            self._reader = None

    async def _read(self, asked: dict[str, _Found]) -> None:
        try:
            async with self._store.read() as connection:
                records = await connection.run_sync(find_stations, list(asked))
        except StoreError as error:
            _fail(asked, NotRecorded(str(error)), error)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to those who asked, and none may wait for ever
            _fail(asked, error, error.__cause__)
        else:
            for folded, found in asked.items():
                found.set_result(records.get(folded))


def _fail(asked: dict[str, _Found], error: Exception, cause: BaseException | None) -> None:
    error.__cause__ = cause
    for found in asked.values():
        found.set_exception(error)
