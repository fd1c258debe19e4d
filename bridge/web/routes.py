"""Route requests to the services: read, check, ask, answer.

Never decides; what is wrong with a request is a 400 that names the field. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.core.modes import Mode
from bridge.web.auth import ACTOR, require_token
from bridge.web.bodies import answer as _answer
from bridge.web.bodies import read as _read
from bridge.web.full_load_shapes import FullLoadRequest
from bridge.web.metrics import Metrics
from bridge.web.problems import problems, request_ids
from bridge.web.quarantine_routes import QuarantineRoutes
from bridge.web.quirk_routes import QuirkRoutes
from bridge.web.services import WebServices
from bridge.web.shapes import EnableRequest, ImportRequest, ListingRequest
from bridge.web.spirii import SpiriiRoutes, spirii_errors
from bridge.web.station_routes import StationRoutes
from bridge.web.sync_shapes import SyncRequest
from bridge.web.temporary_routes import TemporaryRoutes
from bridge.web.wire_routes import WireRoutes

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

_LARGEST_BODY = 32 * 2**20
"""An inventory of 100,000 connectors has about 10 MiB."""
_DEFAULT_LIMIT = 100
_LARGEST_LIMIT = 1000


def create_app(services: WebServices, token: str, around: Sequence[Middleware] = ()) -> web.Application:
    """Return the application: every path needs the token but /livez and /readyz; `around` comes before all else."""
    app = web.Application(
        middlewares=[*around, request_ids, problems, spirii_errors, require_token(token)],
        client_max_size=_LARGEST_BODY,
    )
    _Routes(services).add_to(app)
    SpiriiRoutes(services.temporaries).add_to(app)
    TemporaryRoutes(services.temporaries).add_to(app)
    StationRoutes(services.stations).add_to(app)
    QuarantineRoutes(services.quarantine).add_to(app)
    WireRoutes(services.wire_log).add_to(app)
    QuirkRoutes(services.quirks).add_to(app)
    return app


class _Routes:
    def __init__(self, services: WebServices) -> None:
        self._services = services
        self._metrics = Metrics()

    def add_to(self, app: web.Application) -> None:
        app.add_routes(
            [
                web.get("/livez", self.livez),
                web.get("/readyz", self.readyz),
                web.get("/healthz", self.healthz),
                web.get("/metrics", self.metrics),
                web.get("/api/v1/status", self.status),
                web.get("/api/v1/evses", self.evses),
                web.get("/api/v1/upstreams", self.upstreams),
                web.get("/api/v1/upstreams/{name}/preview", self.preview),
                web.post("/api/v1/upstreams/{name}/enable", self.enable),
                web.post("/api/v1/upstreams/{name}/disable", self.disable),
                web.get("/api/v1/upstreams/{name}/sync", self.sync_preview),
                web.post("/api/v1/upstreams/{name}/sync", self.sync),
                web.delete("/api/v1/upstreams/{name}/documents/{kind}/{key}", self.delete_document),
                web.get("/api/v1/upstreams/{name}/full-load", self.full_load_preview),
                web.post("/api/v1/upstreams/{name}/full-load", self.order_full_load),
                web.get("/api/v1/inventory", self.inventory),
                web.post("/api/v1/inventory", self.import_inventory),
                web.get("/api/v1/listings", self.listings),
                web.post("/api/v1/listings", self.import_listing),
            ]
        )

    async def livez(self, request: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"live": True})

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
        body, content_type = self._metrics.render(await self._services.status(), accept)
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
            by=request[ACTOR],
        )
        return _answer(item)

    async def disable(self, request: web.Request) -> web.Response:
        item = await self._services.set_mode(
            request.match_info["name"], Mode.OFF, confirm_full_load=False, by=request[ACTOR]
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
