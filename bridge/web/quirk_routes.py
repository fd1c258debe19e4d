"""Route questions about quirk profiles.

Never decides. Before it: `auth`. After it: `quirk_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer
from bridge.web.quirk_services import QuirkServices
from bridge.web.quirk_shapes import StationQuirks
from bridge.web.route_table import Route


class QuirkRoutes:
    """The table of these routes."""

    def __init__(self, services: QuirkServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            "/api/v1/stations/{station}/quirks",
            self.of_station,
            Role.VIEWER,
            "Show the quirk profiles that apply to a station.",
            "stations",
            StationQuirks,
            fails=(404,),
        )

    async def of_station(self, request: web.Request) -> web.Response:
        """Those that apply to one station."""
        return answer(await self._services.of_station(request.match_info["station"]))
