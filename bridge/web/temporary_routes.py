"""Route our own requests about temporary statuses, which the command line sends; `spirii` has those of other clients.

Never decides. Before it: `auth`. After it: `temporary_services`.
"""

from __future__ import annotations

from aiohttp import web

from bridge.web.auth import ACTOR
from bridge.web.bodies import answer, read
from bridge.web.temporary_services import TemporaryServices, Which
from bridge.web.temporary_shapes import TemporaryChange, TemporaryEnd, TemporaryWish

PATH = "/api/v1/temporary-statuses"


class TemporaryRoutes:
    """The table of these routes."""

    def __init__(self, services: TemporaryServices) -> None:
        self._services = services

    def add_to(self, app: web.Application) -> None:
        """Add every route."""
        app.add_routes(
            [
                web.get(PATH, self.list_current),
                web.post(PATH, self.create),
                web.post(f"{PATH}/end", self.end),
                web.get(f"{PATH}/{{id:[0-9]{{1,18}}}}", self.get),
                web.patch(f"{PATH}/{{id:[0-9]{{1,18}}}}", self.change),
            ]
        )

    async def list_current(self, request: web.Request) -> web.Response:
        """Those in force or to come; with all=true also those that are over."""
        everything = request.query.get("all", "false")
        if everything not in ("true", "false"):
            raise web.HTTPBadRequest(text="all should be true or false")
        which: Which = "all" if everything == "true" else "current"
        return answer(await self._services.list(request.query.get("evse_id"), which))

    async def create(self, request: web.Request) -> web.Response:
        """For several EVSEs, all or none."""
        return answer(await self._services.create(await read(request, TemporaryWish), by=request[ACTOR]))

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(await self._services.get(int(request.match_info["id"])))

    async def change(self, request: web.Request) -> web.Response:
        """Other values for one; what the body does not name stays."""
        number = int(request.match_info["id"])
        return answer(await self._services.change(number, await read(request, TemporaryChange)))

    async def end(self, request: web.Request) -> web.Response:
        """Several, all or none."""
        return answer(await self._services.end((await read(request, TemporaryEnd)).ids))
