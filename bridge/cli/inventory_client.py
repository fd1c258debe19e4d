"""Ask a running bridge about single rows of its inventory, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.inventory_edit_routes`, on the wire.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from bridge.cli.answers import read_answer
from bridge.cli.failures import Missing, Unexpected
from bridge.cli.temporary_client import Request
from bridge.web.inventory_services import EditDone, EditWay
from bridge.web.inventory_shapes import (
    InventoryEdit,
    InventoryEvse,
    InventoryEvseChange,
    InventoryEvseWish,
    InventoryStation,
    InventoryStationChange,
    InventoryStationWish,
)
from bridge.web.problem_shapes import Problem
from bridge.web.services import Changed, Conflict, NeedsYes, RowsRefused, Unavailable, ValueRefused

_Answer = TypeVar("_Answer", bound=BaseModel)


class RestInventoryEdits:
    """A running bridge's inventory. Implements `bridge.web.inventory_services.InventoryEdits`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def get_evse(self, evse_id: str) -> InventoryEvse:
        """GET …/evses/{evse_id}. Raises: NotFound, ValueRefused."""
        return _classified(*await self._request("GET", _evse(evse_id)), InventoryEvse)

    async def put_evse(self, evse_id: str, wish: InventoryEvseWish, way: EditWay) -> EditDone:
        """PUT …/evses/{evse_id}."""
        return await self._edit("PUT", _evse(evse_id), wish, way)

    async def change_evse(self, evse_id: str, change: InventoryEvseChange, way: EditWay) -> EditDone:
        """PATCH …/evses/{evse_id}."""
        return await self._edit("PATCH", _evse(evse_id), change, way)

    async def remove_evse(self, evse_id: str, way: EditWay) -> EditDone:
        """DELETE …/evses/{evse_id}."""
        return await self._edit("DELETE", _evse(evse_id), None, way)

    async def get_station(self, station: str) -> InventoryStation:
        """GET …/stations/{station}. Raises: NotFound."""
        return _classified(*await self._request("GET", _station(station)), InventoryStation)

    async def put_station(self, station: str, wish: InventoryStationWish, way: EditWay) -> EditDone:
        """PUT …/stations/{station}."""
        return await self._edit("PUT", _station(station), wish, way)

    async def change_station(self, station: str, change: InventoryStationChange, way: EditWay) -> EditDone:
        """PATCH …/stations/{station}."""
        return await self._edit("PATCH", _station(station), change, way)

    async def remove_station(self, station: str, way: EditWay) -> EditDone:
        """DELETE …/stations/{station}."""
        return await self._edit("DELETE", _station(station), None, way)

    async def _edit(self, method: str, path: str, body: BaseModel | None, way: EditWay) -> EditDone:
        query = urlencode({"yes": _word(way.yes), "dry_run": _word(way.dry_run)})
        text = None if body is None else body.model_dump_json(exclude_unset=True)
        status, said = await self._request(method, f"{path}?{query}", text, condition=way.condition)
        return EditDone(_classified(status, said, InventoryEdit), created=status == 201)


def _evse(evse_id: str) -> str:
    return f"/api/v1/inventory/evses/{quote(evse_id, safe='')}"


def _station(station: str) -> str:
    return f"/api/v1/inventory/stations/{quote(station, safe='')}"


def _word(value: bool) -> str:
    return "true" if value else "false"


def _classified(status: int, text: str, model: type[_Answer]) -> _Answer:
    if status in (200, 201):
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404:
            raise Missing(problem.detail)
        case 409 if problem.report is not None:
            raise NeedsYes(problem.detail, problem.report)
        case 409:
            raise Conflict(problem.detail)
        case 412:
            raise Changed(problem.detail)
        case 422 if problem.row_errors:
            raise RowsRefused(problem.row_errors)
        case 400 | 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
