"""Route requests about stations: what they are, and what they are told.

Never decides. Before it: `auth`. After it: `station_services`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.page_query import PAGE, page_of
from bridge.web.queries import flag, text
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
                *PAGE,
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
        page = page_of(request)
        found = await self._services.list(
            page.limit, page.cursor, connected=flag(request, "connected"), version=text(request, "version")
        )
        return answer(found)

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
