"""Join the tables of requests into one application, with what stands around every request.

Never handles one; what is wrong with a request is a 400 that names the field. Before it: `server`. After it: the
tables, `…_routes`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.web.access import ACCESS, Access, AccessOptions
from bridge.web.assets import AssetRoutes
from bridge.web.audit import audit
from bridge.web.auth import is_still_good, require_key
from bridge.web.delivery_routes import DeliveryRoutes
from bridge.web.docs_routes import DocsRoutes
from bridge.web.event_routes import EventRoutes
from bridge.web.evse_routes import EvseRoutes
from bridge.web.explanation_routes import ExplanationRoutes
from bridge.web.headers import add_headers
from bridge.web.health_routes import HealthRoutes
from bridge.web.history_routes import HistoryRoutes
from bridge.web.inventory_edit_routes import InventoryEditRoutes
from bridge.web.inventory_routes import InventoryRoutes
from bridge.web.key_routes import KeyRoutes
from bridge.web.meters import Meters
from bridge.web.overview_services import PageServices
from bridge.web.pages.failures import failure_pages
from bridge.web.pages.public import PublicOptions
from bridge.web.pages.rendering import Pages
from bridge.web.pages.tables import page_tables
from bridge.web.problems import problems, request_ids
from bridge.web.quarantine_routes import QuarantineRoutes
from bridge.web.quirk_routes import QuirkRoutes
from bridge.web.repeats import REPEATS, Repeats
from bridge.web.route_table import Route, Routes, add_routes
from bridge.web.scope import OWNERSHIP
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
    services: PageServices,
    token: str,
    around: Sequence[Middleware] = (),
    access: AccessOptions | None = None,
    public: PublicOptions | None = None,
    repeats: Repeats | None = None,
) -> web.Application:
    """Return the application: every path needs a key but those open by their tables; `around` comes before all else.

    `token` is the admin token; `access` None: there is no other key. `repeats` None: no order is remembered.
    """
    meters = services.meters or Meters((), time.monotonic)
    events = EventRoutes(services.events, is_still_good, counted=meters.streaming)
    wire_log, options = WireRoutes(services.wire_log), access or AccessOptions()
    guard = Access(token, options, meters.refused)
    pages = Pages()
    shown = page_tables(services, pages, public or PublicOptions())
    app = web.Application(
        middlewares=[*around, request_ids, audit, failure_pages(pages), problems, spirii_errors, require_key(guard)],
        client_max_size=_LARGEST_BODY,
    )
    app[ACCESS], app[OWNERSHIP] = guard, options.ownership
    app[REPEATS] = repeats
    add_routes(app, all_routes(services, wire_log, events, shown))
    add_routes(app, SessionRoutes(guard).routes())
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(wire_log.end)
    app.on_shutdown.append(events.end)
    return app


def all_routes(
    services: PageServices, wire_log: WireRoutes, events: EventRoutes, pages: Sequence[Routes]
) -> Iterator[Route]:
    """Yield every request that is answered."""
    tables: tuple[Routes, ...] = (
        HealthRoutes(services),
        EvseRoutes(services),
        UpstreamRoutes(services),
        InventoryRoutes(services),
        InventoryEditRoutes(services.inventory_edits),
        SpiriiRoutes(services.temporaries),
        TemporaryRoutes(services.temporaries),
        StationRoutes(services.stations),
        QuarantineRoutes(services.quarantine),
        wire_log,
        QuirkRoutes(services.quirks),
        events,
        AssetRoutes(),
        *pages,
        DeliveryRoutes(services.deliveries),
        KeyRoutes(services.api_keys),
        ExplanationRoutes(services.explanations),
        HistoryRoutes(services.history),
        DocsRoutes(),
    )
    for table in tables:
        yield from table.routes()
