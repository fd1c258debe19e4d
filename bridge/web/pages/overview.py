"""Show every EVSE, problems first, with counters that filter.

Never decides. Before it: `tables`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.evse_query import EvseQuery
from bridge.web.pages.rendering import Pages
from bridge.web.route_table import Route
from bridge.web.services import WebServices


class OverviewPages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            "/",
            self.overview,
            Role.VIEWER,
            "Show every EVSE.",
            "pages",
            media="text/html",
            page=True,
            described=False,
        )

    async def overview(self, request: web.Request) -> web.Response:
        """The first EVSEs."""
        found = await self._services.list_evses(EvseQuery(cursor=request.query.get("cursor")))
        status = await self._services.status()
        return self._pages.render(request, "overview.html", place="evses", found=found, status=status)
