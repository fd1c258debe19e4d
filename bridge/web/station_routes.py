"""Route requests about stations: what they are, and what they are told.

Never decides. Before it: `auth`. After it: `station_services`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.route_table import Parameter, Route
from bridge.web.shapes import Shape
from bridge.web.station_services import StationServices
from bridge.web.station_shapes import (
    VERSIONS,
    AvailabilityOrder,
    CallOrder,
    CallResult,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    RotationResult,
    StationDetail,
    StationPage,
    TriggerOrder,
    UnlockOrder,
)

PATH = "/api/v1/stations"
TAG = "stations"
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
_Order = TypeVar("_Order", bound=Shape)


class StationRoutes:
    """The table of these routes."""

    def __init__(self, services: StationServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one, to = f"{PATH}/{{id}}", self._services
        yield Route(
            "GET",
            PATH,
            self.list,
            Role.VIEWER,
            "List stations.",
            TAG,
            StationPage,
            query=(
                Parameter("limit", "How many at most.", "integer", 1, _LARGEST_LIMIT),
                Parameter("cursor", "The `next_cursor` of the page before."),
                Parameter("connected", "Those that are connected, or those that are not.", "boolean"),
                Parameter("version", "Those that speak it.", choices=VERSIONS),
            ),
        )
        yield Route("GET", one, self.get, Role.VIEWER, "Show one station.", TAG, StationDetail, fails=(404,))
        yield _told("calls", CallOrder, to.call, Role.ADMIN, "Send any request that the station's OCPP version has.")
        yield _told("trigger", TriggerOrder, to.trigger, Role.OPERATOR, "Ask a station to send a message now.")
        yield _told(
            "availability", AvailabilityOrder, to.availability, Role.OPERATOR, "Make it operative or inoperative."
        )
        yield _told("reset", ResetOrder, to.reset, Role.OPERATOR, "Restart a station.")
        yield _told(
            "configuration/get",
            ConfigurationQuery,
            to.get_configuration,
            Role.OPERATOR,
            "Read a station's configuration keys or variables.",
            empty=True,
        )
        yield _told(
            "configuration/set",
            ConfigurationChange,
            to.set_configuration,
            Role.ADMIN,
            "Change a station's configuration keys or variables.",
        )
        yield _told("unlock", UnlockOrder, to.unlock, Role.OPERATOR, "Unlock a connector.")
        yield _told(
            "rotate-key",
            RotationOrder,
            to.rotate_key,
            Role.ADMIN,
            "Give a station another key.",
            gives=RotationResult,
            empty=True,
        )
        yield Route(
            "PUT",
            f"{one}/profile",
            _order(ProfileOrder, to.set_profile),
            Role.ADMIN,
            "Set the security profile that a station must have at least.",
            TAG,
            StationDetail,
            takes=ProfileOrder,
            fails=(404, 409),
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


def _told(
    verb: str,
    model: type[_Order],
    carry_out: Callable[[str, _Order], Awaitable[Shape]],
    role: Role,
    about: str,
    *,
    gives: type[Shape] = CallResult,
    empty: bool = False,
) -> Route:
    """Return the request that tells one station something; its answer is the station's."""
    return Route(
        "POST",
        f"{PATH}/{{id}}/{verb}",
        _order(model, carry_out, empty=empty),
        role,
        about,
        TAG,
        gives,
        takes=model,
        empty=empty,
        fails=(404, 409, 422),
    )


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
