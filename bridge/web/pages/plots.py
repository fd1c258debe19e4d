"""Show what happened over time: EVSEs by status, and each account's lag and throughput.

Never computes a number: `plots.js` asks the REST interface for them. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.web.pages.page_routes import shown
from bridge.web.pages.rendering import Pages
from bridge.web.route_table import Route
from bridge.web.services import WebServices

PLACE = "plots"
SPANS = ("1h", "24h", "7d", "30d")


class PlotPages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield shown("/plots", self.all, "Show plots over time.")

    async def all(self, request: web.Request) -> web.Response:
        """Of the last day, or of what the address says."""
        items = (await self._services.list_upstreams()).items
        return self._pages.render(request, "plots.html", place=PLACE, items=items, plot_span=span_of(request, "24h"))


def span_of(request: web.Request, default: str) -> str:
    """Return how long a time the address wants to see."""
    named = request.query.get("span", "")
    return named if named in SPANS else default
