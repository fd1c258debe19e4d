"""Route requests about stations that the inventory does not know, and about refused attempts.

Never decides. Ids are percent-encoded in paths. Before it: `auth`. After it: `quarantine_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.page_query import PAGE, page_of
from bridge.web.quarantine_services import QuarantineServices
from bridge.web.quarantine_shapes import AttemptList, Forgotten, MapReport, MapWish, QuarantineList
from bridge.web.queries import text
from bridge.web.route_table import Parameter, Route

PATH = "/api/v1/quarantine"
TAG = "quarantine"


class QuarantineRoutes:
    """The table of these routes."""

    def __init__(self, services: QuarantineServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one = f"{PATH}/{{station}}"
        yield Route(
            "GET",
            PATH,
            self.list_all,
            Role.VIEWER,
            "List stations that the inventory does not know.",
            TAG,
            QuarantineList,
            query=PAGE,
        )
        yield Route(
            "POST",
            f"{one}/map",
            self.map,
            Role.ADMIN,
            "Take a station into the inventory, with its EVSEs.",
            TAG,
            MapReport,
            takes=MapWish,
            fails=(404, 409, 422),
        )
        yield Route(
            "DELETE",
            one,
            self.forget,
            Role.ADMIN,
            "Forget a station until it connects again.",
            TAG,
            Forgotten,
            fails=(404,),
        )
        yield Route(
            "GET",
            "/api/v1/attempts",
            self.attempts,
            Role.VIEWER,
            "List connections that were refused.",
            TAG,
            AttemptList,
            query=(*PAGE, Parameter("station", "Those of one identity.")),
        )

    async def list_all(self, request: web.Request) -> web.Response:
        """All of them, whether connected or not."""
        return answer(await self._services.list(page_of(request)))

    async def map(self, request: web.Request) -> web.Response:
        """With its EVSEs and a way to prove itself."""
        return answer(await self._services.map(request.match_info["station"], await read(request, MapWish)))

    async def forget(self, request: web.Request) -> web.Response:
        """Until it connects again."""
        return answer(await self._services.forget(request.match_info["station"]))

    async def attempts(self, request: web.Request) -> web.Response:
        """All that are kept, or with station=ID those of one."""
        return answer(await self._services.attempts(text(request, "station"), page_of(request)))
