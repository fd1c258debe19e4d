"""Show every EVSE, problems first, with counters that filter; find one by a part of its id.

Never decides. Before it: `tables`. After it: `overview_services`, with `overview_view` for what the counters lead to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from aiohttp import web

from bridge.web.evse_query import EvseQuery
from bridge.web.evse_routes import FILTERS, evse_query
from bridge.web.overview_services import PageServices
from bridge.web.page_query import PAGE
from bridge.web.pages.overview_view import changed, counters, filters, hub_tiles, slices
from bridge.web.pages.page_routes import shown
from bridge.web.pages.rendering import Pages, segment, updates_itself
from bridge.web.principals import PRINCIPAL
from bridge.web.route_table import Parameter, Route

_FOUND = 8
_LONGEST = 100


class OverviewPages:
    """The table of these pages."""

    def __init__(self, services: PageServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield replace(shown("/", self.overview, "Show every EVSE."), query=(*PAGE, *FILTERS), scoped=True)
        yield replace(
            shown("/search", self.search, "Find EVSEs and stations by a part of their ids."),
            query=(Parameter("q", "The part."),),
            media="application/json",
            page=False,
            scoped=True,
        )

    async def overview(self, request: web.Request) -> web.Response:
        """A page of those that the address asks for, problems first unless it says otherwise."""
        query = evse_query(request)
        if "sort" not in request.query:
            query = replace(query, sort="problems")
        here = request.rel_url
        found = await self._services.overviews.evses(query, patient=updates_itself(request))
        counts, cursor = found.counts, found.page.next_cursor
        return self._pages.render(
            request,
            "overview.html",
            place="evses",
            evses=found.page.items,
            query=query,
            counts=counts,
            counters=counters(here, query, counts),
            filters=filters(here, query),
            slices=slices(counts),
            by_problem=str(changed(here, {"sort": None})),
            by_id=str(changed(here, {"sort": "id"})),
            hubs=hub_tiles(found.upstreams),
            next_href="" if cursor is None else str(here.update_query(cursor=cursor)),
            first_href=str(changed(here, {})) if query.cursor else "",
        )

    async def search(self, request: web.Request) -> web.Response:
        """For the field in the head of every page: what leads to the first few that are meant."""
        part = request.query.get("q", "").strip()[:_LONGEST]
        found = []
        if part:
            query = EvseQuery(limit=_FOUND, q=part, operators=request[PRINCIPAL].operators)
            page = await self._services.list_evses(query)
            stations = dict.fromkeys(item.station for item in page.items if part.casefold() in item.station.casefold())
            found = [{"name": name, "about": "station", "href": f"/stations/{segment(name)}"} for name in stations]
            found += [
                {"name": item.evse_id, "about": item.effective, "href": f"/evses/{segment(item.evse_id)}"}
                for item in page.items
            ]
        return web.json_response({"found": found[:_FOUND]})
