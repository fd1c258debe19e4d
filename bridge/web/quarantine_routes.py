"""Route requests about stations that the inventory does not know, and about refused attempts.

Never decides. Ids are percent-encoded in paths. Before it: `auth`. After it: `quarantine_services`.
"""

from __future__ import annotations

from aiohttp import web

from bridge.web.bodies import answer, read
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quarantine_shapes import MapWish

PATH = "/api/v1/quarantine"


class QuarantineRoutes:
    """The table of these routes."""

    def __init__(self, services: QuarantineServices) -> None:
        self._services = services

    def add_to(self, app: web.Application) -> None:
        """Add every route."""
        app.add_routes(
            [
                web.get(PATH, self.list_all),
                web.post(f"{PATH}/{{station}}/map", self.map),
                web.delete(f"{PATH}/{{station}}", self.forget),
                web.get("/api/v1/attempts", self.attempts),
            ]
        )

    async def list_all(self, request: web.Request) -> web.Response:
        """All of them, whether connected or not."""
        return answer(await self._services.list())

    async def map(self, request: web.Request) -> web.Response:
        """With its EVSEs and a way to prove itself."""
        return answer(await self._services.map(request.match_info["station"], await read(request, MapWish)))

    async def forget(self, request: web.Request) -> web.Response:
        """Until it connects again."""
        return answer(await self._services.forget(request.match_info["station"]))

    async def attempts(self, request: web.Request) -> web.Response:
        """All that are kept, or with station=ID those of one."""
        return answer(await self._services.attempts(request.query.get("station")))
