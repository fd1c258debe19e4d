"""Route questions about quirk profiles.

Never decides. Before it: `auth`. After it: `quirk_services`.
"""

from __future__ import annotations

from aiohttp import web

from bridge.web.bodies import answer
from bridge.web.quirk_services import QuirkServices


class QuirkRoutes:
    """The table of these routes."""

    def __init__(self, services: QuirkServices) -> None:
        self._services = services

    def add_to(self, app: web.Application) -> None:
        """Add every route."""
        app.add_routes([web.get("/api/v1/stations/{station}/quirks", self.of_station)])

    async def of_station(self, request: web.Request) -> web.Response:
        """Those that apply to one station."""
        return answer(await self._services.of_station(request.match_info["station"]))
