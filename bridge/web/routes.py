"""Join the tables of requests into one application, with what stands around every request.

Never handles one; what is wrong with a request is a 400 that names the field. Before it: `server`. After it: the
tables, `…_routes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.web.access import ACCESS, Access, AccessOptions
from bridge.web.assets import AssetRoutes
from bridge.web.audit import audit
from bridge.web.auth import require_key
from bridge.web.evse_routes import EvseRoutes
from bridge.web.headers import add_headers
from bridge.web.health_routes import HealthRoutes
from bridge.web.inventory_routes import InventoryRoutes
from bridge.web.key_routes import KeyRoutes
from bridge.web.problems import problems, request_ids
from bridge.web.quarantine_routes import QuarantineRoutes
from bridge.web.quirk_routes import QuirkRoutes
from bridge.web.route_table import Route, Routes, add_routes
from bridge.web.scope import OWNERSHIP
from bridge.web.services import WebServices
from bridge.web.session_routes import SessionRoutes
from bridge.web.spirii import SpiriiRoutes, spirii_errors
from bridge.web.station_routes import StationRoutes
from bridge.web.temporary_routes import TemporaryRoutes
from bridge.web.upstream_routes import UpstreamRoutes
from bridge.web.wire_routes import WireRoutes

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

_LARGEST_BODY = 32 * 2**20
"""An inventory of 100,000 connectors has about 10 MiB."""


def create_app(
    services: WebServices,
    token: str,
    around: Sequence[Middleware] = (),
    access: AccessOptions | None = None,
) -> web.Application:
    """Return the application: every path needs a key but those open by their tables; `around` comes before all else.

    `token` is the admin token; `access` None: there is no other key.
    """
    wire_log = WireRoutes(services.wire_log)
    options = access or AccessOptions()
    guard = Access(token, options)
    app = web.Application(
        middlewares=[*around, request_ids, audit, problems, spirii_errors, require_key(guard)],
        client_max_size=_LARGEST_BODY,
    )
    app[ACCESS], app[OWNERSHIP] = guard, options.ownership
    add_routes(app, all_routes(services, wire_log))
    add_routes(app, SessionRoutes(guard).routes())
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(wire_log.end)
    return app


def all_routes(services: WebServices, wire_log: WireRoutes) -> Iterator[Route]:
    """Yield every request that is answered."""
    tables: tuple[Routes, ...] = (
        HealthRoutes(services),
        EvseRoutes(services),
        UpstreamRoutes(services),
        InventoryRoutes(services),
        SpiriiRoutes(services.temporaries),
        TemporaryRoutes(services.temporaries),
        StationRoutes(services.stations),
        QuarantineRoutes(services.quarantine),
        wire_log,
        QuirkRoutes(services.quirks),
        KeyRoutes(services.api_keys),
        AssetRoutes(),
    )
    for table in tables:
        yield from table.routes()
