"""Route requests about stations: what they are, and what they are told.

Never decides. Before it: `auth`. After it: `station_services`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from bridge.web.bodies import answer, read
from bridge.web.shapes import Shape
from bridge.web.station_services import StationServices
from bridge.web.station_shapes import (
    VERSIONS,
    AvailabilityOrder,
    CallOrder,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    TriggerOrder,
    UnlockOrder,
)

PATH = "/api/v1/stations"
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
_Order = TypeVar("_Order", bound=Shape)


class StationRoutes:
    """The table of these routes."""

    def __init__(self, services: StationServices) -> None:
        self._services = services

    def add_to(self, app: web.Application) -> None:
        """Add every route."""
        one, to = f"{PATH}/{{id}}", self._services
        app.add_routes(
            [
                web.get(PATH, self.list),
                web.get(one, self.get),
                web.post(f"{one}/calls", _order(CallOrder, to.call)),
                web.post(f"{one}/trigger", _order(TriggerOrder, to.trigger)),
                web.post(f"{one}/availability", _order(AvailabilityOrder, to.availability)),
                web.post(f"{one}/reset", _order(ResetOrder, to.reset)),
                web.post(f"{one}/configuration/get", _order(ConfigurationQuery, to.get_configuration, empty=True)),
                web.post(f"{one}/configuration/set", _order(ConfigurationChange, to.set_configuration)),
                web.post(f"{one}/unlock", _order(UnlockOrder, to.unlock)),
                web.post(f"{one}/rotate-key", _order(RotationOrder, to.rotate_key, empty=True)),
                web.put(f"{one}/profile", _order(ProfileOrder, to.set_profile)),
            ]
        )

    async def list(self, request: web.Request) -> web.Response:
        """A page; connected=true|false and version=ocpp1.6 and so on choose."""
        query = request.query
        page = await self._services.list(
            _limit(query.get("limit", str(_DEFAULT_LIMIT))),
            query.get("cursor"),
            connected=_connected(query.get("connected")),
            version=_version(query.get("version")),
        )
        return answer(page)

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(await self._services.get(request.match_info["id"]))


def _order(
    model: type[_Order], carry_out: Callable[[str, _Order], Awaitable[Shape]], *, empty: bool = False
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a handler that reads the body as `model` and carries it out for the station in the path."""

    async def handle(request: web.Request) -> web.Response:
        order = await read(request, model, empty=empty)
        return answer(await carry_out(request.match_info["id"], order))

    return handle


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= _LARGEST_LIMIT):
        raise web.HTTPBadRequest(text=f"limit should be a whole number from 1 to {_LARGEST_LIMIT}")
    return int(text)


def _connected(text: str | None) -> bool | None:
    if text not in (None, "true", "false"):
        raise web.HTTPBadRequest(text="connected should be true or false")
    return None if text is None else text == "true"


def _version(text: str | None) -> str | None:
    if text is not None and text not in VERSIONS:
        raise web.HTTPBadRequest(text=f"version should be one of {', '.join(VERSIONS)}")
    return text
