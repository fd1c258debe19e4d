"""Route questions about the inventory and what is listed of it, and imports.

Never decides. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.page_query import PAGE, page_of
from bridge.web.queries import text
from bridge.web.route_table import Parameter, Route
from bridge.web.services import WebServices
from bridge.web.shapes import ImportReport, ImportRequest, InventoryList, ListingList, ListingRequest

INVENTORY = "/api/v1/inventory"
LISTINGS = "/api/v1/listings"


class InventoryRoutes:
    """The table of these routes."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            INVENTORY,
            self.inventory,
            Role.VIEWER,
            "List every connector, or give all as the CSV file that would bring them in again, without keys.",
            "inventory",
            InventoryList,
            query=(*PAGE, Parameter("format", "csv, as Accept: text/csv: all of it.", choices=("json", "csv"))),
            or_media=("text/csv",),
        )
        yield Route(
            "POST",
            INVENTORY,
            self.import_inventory,
            Role.ADMIN,
            "Import an inventory file, as a whole or not at all.",
            "inventory",
            ImportReport,
            takes=ImportRequest,
            fails=(409, 422),
        )
        yield Route(
            "GET", LISTINGS, self.listings, Role.VIEWER, "List static data.", "inventory", ListingList, query=PAGE
        )
        yield Route(
            "POST",
            LISTINGS,
            self.import_listing,
            Role.ADMIN,
            "Import a listing file, as a whole or not at all.",
            "inventory",
            ImportReport,
            takes=ListingRequest,
            fails=(409, 422),
        )

    async def inventory(self, request: web.Request) -> web.Response:
        """A page of connectors, or the whole as a file."""
        wanted = text(request, "format") or ("csv" if request.headers.get("Accept", "") == "text/csv" else "json")
        if wanted == "json":
            return answer(await self._services.list_inventory(page_of(request)))
        headers = {"Content-Disposition": 'attachment; filename="inventory.csv"'}
        return web.Response(
            text=await self._services.export_inventory(), content_type="text/csv", charset="utf-8", headers=headers
        )

    async def import_inventory(self, request: web.Request) -> web.Response:
        """All rows or none."""
        return answer(await self._services.import_inventory(await read(request, ImportRequest)))

    async def listings(self, request: web.Request) -> web.Response:
        """A page of what is listed."""
        return answer(await self._services.list_listings(page_of(request)))

    async def import_listing(self, request: web.Request) -> web.Response:
        """All of it or nothing."""
        return answer(await self._services.import_listing(await read(request, ListingRequest)))
