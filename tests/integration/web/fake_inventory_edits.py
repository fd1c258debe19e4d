"""A hand-written fake of single rows of the inventory: one station with one EVSE, which every edit leaves as it is."""

from __future__ import annotations

from bridge.core.etags import etag_of
from bridge.web.inventory_services import EditDone, EditWay
from bridge.web.inventory_shapes import (
    InventoryConnector,
    InventoryEdit,
    InventoryEvse,
    InventoryEvseChange,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationChange,
    InventoryStationWish,
    StationEvse,
)
from bridge.web.services import Changed, NotFound

EVSE = InventoryEvse(
    evse_id="DE*ABC*E1", station="CS-1", operator="acme", connectors=(InventoryConnector(connector=1),)
)
STATION = InventoryStation(
    station="CS-1",
    version="1.6",
    evses=(StationEvse(evse_id="DE*ABC*E1", operator="acme", connectors=EVSE.connectors),),
)


class FakeInventoryEdits:
    """Implements `InventoryEdits` in memory."""

    async def get_evse(self, evse_id: str) -> InventoryEvse:
        if evse_id != EVSE.evse_id:
            raise NotFound("EVSE", evse_id)
        return EVSE

    async def put_evse(self, evse_id: str, wish: InventoryEvseWish, way: EditWay) -> EditDone:
        return _done(EVSE if evse_id == EVSE.evse_id else None, way)

    async def change_evse(self, evse_id: str, change: InventoryEvseChange, way: EditWay) -> EditDone:
        return _done(await self.get_evse(evse_id), way)

    async def remove_evse(self, evse_id: str, way: EditWay) -> EditDone:
        return _done(await self.get_evse(evse_id), way)

    async def get_station(self, station: str) -> InventoryStation:
        if station != STATION.station:
            raise NotFound("station", station)
        return STATION

    async def put_station(self, station: str, wish: InventoryStationWish, way: EditWay) -> EditDone:
        return _done(STATION if station == STATION.station else None, way)

    async def change_station(self, station: str, change: InventoryStationChange, way: EditWay) -> EditDone:
        return _done(await self.get_station(station), way)

    async def remove_station(self, station: str, way: EditWay) -> EditDone:
        return _done(await self.get_station(station), way)


def _done(before: InventoryEvse | InventoryStation | None, way: EditWay) -> EditDone:
    tag = None if before is None else etag_of(before.model_dump(mode="json"))
    if not way.condition.holds(tag):
        raise Changed
    return EditDone(InventoryEdit(applied=True), created=before is None, tag=tag)
