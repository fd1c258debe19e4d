"""Route looks at single stations and EVSEs of the inventory, and edits of them.

Never decides. Before it: `auth`, `conditions`. After it: `inventory_services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from aiohttp import web
from pydantic import BaseModel

from bridge.core.etags import etag_of
from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.conditions import condition_of
from bridge.web.inventory_services import EditDone, EditWay, InventoryEdits
from bridge.web.inventory_shapes import (
    InventoryEdit,
    InventoryEvse,
    InventoryEvseChange,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationChange,
    InventoryStationWish,
)
from bridge.web.queries import flag
from bridge.web.route_table import Parameter, Route

EVSE = "/api/v1/inventory/evses/{evse_id}"
STATION = "/api/v1/inventory/stations/{station}"
_WAY = (
    Parameter("yes", "Remove even more than a tenth of the stations or EVSEs.", "boolean"),
    Parameter("dry_run", "Show the changes, make none.", "boolean"),
)
_LOOK = partial(Route, "GET", role=Role.VIEWER, tag="inventory", tagged=True)
_EDIT = partial(Route, role=Role.ADMIN, tag="inventory", gives=InventoryEdit, query=_WAY, guarded=True, tagged=True)


class InventoryEditRoutes:
    """The table of these routes."""

    def __init__(self, services: InventoryEdits) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield from self._of_evses()
        yield from self._of_stations()

    def _of_evses(self) -> Iterator[Route]:
        edit = partial(_EDIT, path=EVSE)
        yield _LOOK(
            path=EVSE,
            handler=self.get_evse,
            about="Show what the inventory says of an EVSE.",
            gives=InventoryEvse,
            fails=(404, 422),
        )
        yield edit(
            "PUT",
            handler=self.put_evse,
            about="Make or replace an EVSE.",
            takes=InventoryEvseWish,
            fails=(409, 422),
            also=(201,),
        )
        yield edit(
            "PATCH", handler=self.change_evse, about="Change an EVSE.", takes=InventoryEvseChange, fails=(404, 409, 422)
        )
        yield edit("DELETE", handler=self.remove_evse, about="Take an EVSE out.", fails=(404, 409, 422), tagged=False)

    def _of_stations(self) -> Iterator[Route]:
        edit = partial(_EDIT, path=STATION)
        about = "Show what the inventory says of a station; never its key."
        yield _LOOK(path=STATION, handler=self.get_station, about=about, gives=InventoryStation, fails=(404,))
        yield edit(
            "PUT",
            handler=self.put_station,
            about="Make or replace a station with its EVSEs.",
            takes=InventoryStationWish,
            fails=(409, 422),
            also=(201,),
            secret=True,
        )
        yield edit(
            "PATCH",
            handler=self.change_station,
            about="Change a station.",
            takes=InventoryStationChange,
            fails=(404, 409, 422),
            secret=True,
        )
        about = "Take a station out, with its EVSEs."
        yield edit("DELETE", handler=self.remove_station, about=about, fails=(404, 409), tagged=False)

    async def get_evse(self, request: web.Request) -> web.Response:
        """In any spelling of its id."""
        return _tagged(await self._services.get_evse(request.match_info["evse_id"]))

    async def put_evse(self, request: web.Request) -> web.Response:
        """All that is said of it."""
        way = _way(request, may_create=True)
        wish = await read(request, InventoryEvseWish)
        return _done(await self._services.put_evse(request.match_info["evse_id"], wish, way))

    async def change_evse(self, request: web.Request) -> web.Response:
        """What the body does not name stays."""
        way, change = _way(request), await read(request, InventoryEvseChange)
        return _done(await self._services.change_evse(request.match_info["evse_id"], change, way))

    async def remove_evse(self, request: web.Request) -> web.Response:
        """Its station stays."""
        return _done(await self._services.remove_evse(request.match_info["evse_id"], _way(request)))

    async def get_station(self, request: web.Request) -> web.Response:
        """One of them."""
        return _tagged(await self._services.get_station(request.match_info["station"]))

    async def put_station(self, request: web.Request) -> web.Response:
        """All that is said of it and its EVSEs."""
        way = _way(request, may_create=True)
        wish = await read(request, InventoryStationWish)
        return _done(await self._services.put_station(request.match_info["station"], wish, way))

    async def change_station(self, request: web.Request) -> web.Response:
        """What the body does not name stays."""
        way, change = _way(request), await read(request, InventoryStationChange)
        return _done(await self._services.change_station(request.match_info["station"], change, way))

    async def remove_station(self, request: web.Request) -> web.Response:
        """With its EVSEs."""
        return _done(await self._services.remove_station(request.match_info["station"], _way(request)))


def _way(request: web.Request, *, may_create: bool = False) -> EditWay:
    condition = condition_of(request, may_create=may_create)
    return EditWay(condition, yes=flag(request, "yes") or False, dry_run=flag(request, "dry_run") or False)


def _tagged(shown: BaseModel) -> web.Response:
    response = answer(shown)
    response.headers["ETag"] = etag_of(shown.model_dump(mode="json"))
    return response


def _done(done: EditDone) -> web.Response:
    response = answer(done.report, 201 if done.created else 200)
    if done.tag is not None:
        response.headers["ETag"] = done.tag
    return response
