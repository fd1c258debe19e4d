"""Route requests to the services: read, check, ask, answer.

Never decides; what is wrong with a request is a 400 that names the field. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.core.modes import Mode
from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL, require_token
from bridge.web.bodies import answer as _answer
from bridge.web.bodies import read as _read
from bridge.web.delivery_routes import DeliveryRoutes
from bridge.web.event_routes import EventRoutes
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest
from bridge.web.metrics import Metrics
from bridge.web.problems import problems, request_ids
from bridge.web.quarantine_routes import QuarantineRoutes
from bridge.web.quirk_routes import QuirkRoutes
from bridge.web.route_table import Parameter, Route, Routes, add_routes
from bridge.web.services import WebServices
from bridge.web.shapes import (
    EnableRequest,
    EvsePage,
    Health,
    ImportReport,
    ImportRequest,
    InventoryList,
    ListingList,
    ListingRequest,
    Liveness,
    Readiness,
    Status,
    UpstreamItem,
    UpstreamList,
    UpstreamPreview,
)
from bridge.web.spirii import SpiriiRoutes, spirii_errors
from bridge.web.station_routes import StationRoutes
from bridge.web.sync_shapes import Deletion, SyncReport, SyncRequest
from bridge.web.temporary_routes import TemporaryRoutes
from bridge.web.wire_routes import WireRoutes

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

_LARGEST_BODY = 32 * 2**20
"""An inventory of 100,000 connectors has about 10 MiB."""
VIEWER, OPERATOR, ADMIN = Role.VIEWER, Role.OPERATOR, Role.ADMIN
UPSTREAMS = "/api/v1/upstreams"
INVENTORY = "/api/v1/inventory"
LISTINGS = "/api/v1/listings"
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000
PAGE = (
    Parameter("limit", "How many at most.", "integer", 1, _LARGEST_LIMIT),
    Parameter("cursor", "The `next_cursor` of the page before."),
)


def create_app(services: WebServices, token: str, around: Sequence[Middleware] = ()) -> web.Application:
    """Return the application: every path needs the token but /livez and /readyz; `around` comes before all else."""
    wire_log, events = WireRoutes(services.wire_log), EventRoutes(services.events)
    routes = list(all_routes(services, wire_log, events))
    open_paths = frozenset(route.template for route in routes if route.role is None)
    app = web.Application(
        middlewares=[*around, request_ids, problems, spirii_errors, require_token(token, open_paths)],
        client_max_size=_LARGEST_BODY,
    )
    add_routes(app, routes)
    app.on_shutdown.append(wire_log.end)
    app.on_shutdown.append(events.end)
    return app


def all_routes(services: WebServices, wire_log: WireRoutes, events: EventRoutes) -> Iterator[Route]:
    """Yield every request that is answered."""
    tables: tuple[Routes, ...] = (
        _Routes(services),
        SpiriiRoutes(services.temporaries),
        TemporaryRoutes(services.temporaries),
        StationRoutes(services.stations),
        QuarantineRoutes(services.quarantine),
        wire_log,
        QuirkRoutes(services.quirks),
        DeliveryRoutes(services.deliveries),
        events,
    )
    for table in tables:
        yield from table.routes()


class _Routes:
    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._metrics = Metrics(services.meters)

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one = f"{UPSTREAMS}/{{name}}"
        yield Route("GET", "/livez", self.livez, None, "Tell that the process answers.", "health", gives=Liveness)
        yield Route(
            "GET",
            "/readyz",
            self.readyz,
            None,
            "Tell whether statuses are recorded.",
            "health",
            Readiness,
            fails=(503,),
        )
        yield Route("GET", "/healthz", self.healthz, VIEWER, "Tell how each part does.", "health", Health, fails=(503,))
        yield Route(
            "GET", "/metrics", self.metrics, VIEWER, "Give Prometheus its metrics.", "health", media="text/plain"
        )
        yield Route("GET", "/api/v1/status", self.status, VIEWER, "Show the bridge at a glance.", "status", Status)
        yield Route("GET", "/api/v1/evses", self.evses, VIEWER, "List EVSEs.", "EVSEs", EvsePage, query=PAGE)
        yield Route("GET", UPSTREAMS, self.upstreams, VIEWER, "List the accounts at hubs.", "upstreams", UpstreamList)
        yield Route(
            "GET",
            f"{one}/preview",
            self.preview,
            VIEWER,
            "Show what an account would be sent if it were live now.",
            "upstreams",
            UpstreamPreview,
            fails=(404,),
        )
        yield Route(
            "POST",
            f"{one}/enable",
            self.enable,
            ADMIN,
            "Let an account send, or work out what it would send.",
            "upstreams",
            UpstreamItem,
            takes=EnableRequest,
            empty=True,
            fails=(404, 409),
        )
        yield Route(
            "POST",
            f"{one}/disable",
            self.disable,
            ADMIN,
            "Let an account send nothing.",
            "upstreams",
            UpstreamItem,
            fails=(404,),
        )
        yield Route(
            "GET",
            f"{one}/sync",
            self.sync_preview,
            VIEWER,
            "Show how what an account should have differs from what its hub acknowledged.",
            "upstreams",
            SyncReport,
            fails=(404,),
        )
        yield Route(
            "POST",
            f"{one}/sync",
            self.sync,
            OPERATOR,
            "Send at once what the hub has not acknowledged.",
            "upstreams",
            SyncReport,
            takes=SyncRequest,
            empty=True,
            fails=(404,),
        )
        yield Route(
            "DELETE",
            f"{one}/documents/{{kind}}/{{key}}",
            self.delete_document,
            ADMIN,
            "Delete a station or company at the hub that is no longer wanted.",
            "upstreams",
            Deletion,
            fails=(404, 409),
        )
        yield Route(
            "GET",
            f"{one}/full-load",
            self.full_load_preview,
            VIEWER,
            "Show what a fullLoad would change at the hub.",
            "upstreams",
            FullLoadItem,
            query=(Parameter("scope", "What it replaces.", choices=("statuses", "data")),),
            fails=(404, 409),
        )
        yield Route(
            "POST",
            f"{one}/full-load",
            self.order_full_load,
            OPERATOR,
            "Replace everything that the account has at the hub.",
            "upstreams",
            FullLoadItem,
            takes=FullLoadRequest,
            empty=True,
            fails=(404, 409),
        )
        yield Route("GET", INVENTORY, self.inventory, VIEWER, "List every connector.", "inventory", InventoryList)
        yield Route(
            "POST",
            INVENTORY,
            self.import_inventory,
            ADMIN,
            "Import an inventory file, as a whole or not at all.",
            "inventory",
            ImportReport,
            takes=ImportRequest,
            fails=(409, 422),
        )
        yield Route("GET", LISTINGS, self.listings, VIEWER, "List static data.", "inventory", ListingList)
        yield Route(
            "POST",
            LISTINGS,
            self.import_listing,
            ADMIN,
            "Import a listing file, as a whole or not at all.",
            "inventory",
            ImportReport,
            takes=ListingRequest,
            fails=(409, 422),
        )

    async def livez(self, request: web.Request) -> web.Response:
        """The process answers."""
        return _answer(Liveness(live=True))

    async def readyz(self, request: web.Request) -> web.Response:
        """Statuses can be recorded."""
        readiness = await self._services.ready()
        return _answer(readiness, status=200 if readiness.ready else 503)

    async def healthz(self, request: web.Request) -> web.Response:
        """Each part by itself; only what makes the bridge unready is a 503."""
        health = await self._services.health()
        return _answer(health, status=503 if health.status == "failed" else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """For Prometheus."""
        accept = ",".join(request.headers.getall("Accept", []))
        ready = (await self._services.ready()).ready
        body, content_type = self._metrics.render(await self._services.status(), accept, ready)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def status(self, request: web.Request) -> web.Response:
        return _answer(await self._services.status())

    async def evses(self, request: web.Request) -> web.Response:
        limit = _whole(request, "limit", _DEFAULT_LIMIT, _LARGEST_LIMIT)
        return _answer(await self._services.list_evses(limit, request.query.get("cursor")))

    async def upstreams(self, request: web.Request) -> web.Response:
        return _answer(await self._services.list_upstreams())

    async def preview(self, request: web.Request) -> web.Response:
        return _answer(await self._services.upstream_preview(request.match_info["name"]))

    async def enable(self, request: web.Request) -> web.Response:
        body = await _read(request, EnableRequest, empty=True)
        item = await self._services.set_mode(
            request.match_info["name"],
            Mode(body.mode),
            confirm_full_load=body.confirm_full_load,
            by=request[PRINCIPAL].name,
        )
        return _answer(item)

    async def disable(self, request: web.Request) -> web.Response:
        item = await self._services.set_mode(
            request.match_info["name"], Mode.OFF, confirm_full_load=False, by=request[PRINCIPAL].name
        )
        return _answer(item)

    async def sync_preview(self, request: web.Request) -> web.Response:
        return _answer(await self._services.sync_preview(request.match_info["name"]))

    async def sync(self, request: web.Request) -> web.Response:
        body = await _read(request, SyncRequest, empty=True)
        return _answer(await self._services.sync(request.match_info["name"], forget=body.forget))

    async def delete_document(self, request: web.Request) -> web.Response:
        place = request.match_info
        return _answer(await self._services.delete_document(place["name"], place["kind"], place["key"]))

    async def full_load_preview(self, request: web.Request) -> web.Response:
        match request.query.get("scope", "statuses"):
            case "statuses" | "data" as scope:
                return _answer(await self._services.full_load_preview(request.match_info["name"], scope))
            case _:
                raise web.HTTPBadRequest(text="scope should be statuses or data")

    async def order_full_load(self, request: web.Request) -> web.Response:
        body = await _read(request, FullLoadRequest, empty=True)
        return _answer(await self._services.order_full_load(request.match_info["name"], body))

    async def inventory(self, request: web.Request) -> web.Response:
        return _answer(await self._services.list_inventory())

    async def import_inventory(self, request: web.Request) -> web.Response:
        return _answer(await self._services.import_inventory(await _read(request, ImportRequest)))

    async def listings(self, request: web.Request) -> web.Response:
        return _answer(await self._services.list_listings())

    async def import_listing(self, request: web.Request) -> web.Response:
        return _answer(await self._services.import_listing(await _read(request, ListingRequest)))


def _whole(request: web.Request, name: str, default: int, largest: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise web.HTTPBadRequest(text=f"{name} should be a whole number from 1 to {largest}")
    return int(text)
