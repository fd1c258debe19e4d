"""Route questions about EVSEs and connectors.

Never decides. Before it: `auth`, `queries`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast, get_args

from aiohttp import web

from bridge.core.model import EvseStatus
from bridge.core.roles import Role
from bridge.web.bodies import answer
from bridge.web.connector_shapes import ConnectorPage
from bridge.web.evse_counts import EvseCounts
from bridge.web.evse_query import EvseOrder, EvseQuery
from bridge.web.page_query import PAGE, page_of
from bridge.web.principals import PRINCIPAL
from bridge.web.queries import flag, text, texts
from bridge.web.route_table import Parameter, Route
from bridge.web.scope import require_own
from bridge.web.services import WebServices
from bridge.web.shapes import DeliveryState, EvseItem, EvsePage

EVSES = "/api/v1/evses"
CONNECTORS = "/api/v1/connectors"
FILTERS = (
    Parameter("status", "Effective status.", choices=tuple(EvseStatus), repeated=True),
    Parameter("station", "Those of one station."),
    Parameter("operator", "Those of one operator, by its name in the configuration."),
    Parameter("account", "Those that this account is told of; with `state`, whose status stands so there."),
    Parameter("state", "How the status stands at an account.", choices=get_args(DeliveryState), repeated=True),
    Parameter("connected", "Those whose station is connected, or is not.", "boolean"),
    Parameter("problems", "Those with which something is wrong, or nothing.", "boolean"),
    Parameter("q", "Those with this in their id, or in their station's."),
    Parameter("sort", "By id, or those with problems first.", choices=get_args(EvseOrder)),
)


class EvseRoutes:
    """The table of these routes."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            EVSES,
            self.list,
            Role.VIEWER,
            "List EVSEs.",
            "EVSEs",
            EvsePage,
            query=(*PAGE, *FILTERS),
            fails=(404,),
            scoped=True,
        )
        yield Route(
            "GET",
            f"{EVSES}/{{evse_id}}",
            self.get,
            Role.VIEWER,
            "Show one EVSE.",
            "EVSEs",
            EvseItem,
            fails=(404,),
            scoped=True,
        )
        yield Route(
            "GET",
            "/api/v1/evse-counts",
            self.count,
            Role.VIEWER,
            "Count EVSEs by status, those with problems and those that are offline.",
            "EVSEs",
            EvseCounts,
            scoped=True,
        )
        yield Route(
            "GET",
            CONNECTORS,
            self.connectors,
            Role.VIEWER,
            "List connectors, each with what was reported last.",
            "EVSEs",
            ConnectorPage,
            query=(*PAGE, Parameter("station", "Those of one station."), Parameter("evse_id", "Those of one EVSE.")),
            scoped=True,
        )

    async def list(self, request: web.Request) -> web.Response:
        """A page of those that every filter lets pass."""
        return answer(await self._services.list_evses(evse_query(request)))

    async def count(self, request: web.Request) -> web.Response:
        """Those that the key may see."""
        return answer(await self._services.count_evses(request[PRINCIPAL].operators))

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        evse_id = request.match_info["evse_id"]
        await require_own(request, evse_id)
        return answer(await self._services.get_evse(evse_id))

    async def connectors(self, request: web.Request) -> web.Response:
        """A page of them."""
        page, station, evse_id = page_of(request), text(request, "station"), text(request, "evse_id")
        operators = request[PRINCIPAL].operators
        found = await self._services.list_connectors(page, station=station, evse_id=evse_id, operators=operators)
        return answer(found)


def evse_query(request: web.Request) -> EvseQuery:
    """Return which EVSEs a request asks for; its route describes `PAGE` and `FILTERS`."""
    page = page_of(request)
    return EvseQuery(
        limit=page.limit,
        cursor=page.cursor,
        statuses=tuple(map(EvseStatus, texts(request, "status"))),
        station=text(request, "station"),
        operator=text(request, "operator"),
        operators=request[PRINCIPAL].operators,
        account=text(request, "account"),
        states=cast("tuple[DeliveryState, ...]", texts(request, "state")),
        connected=flag(request, "connected"),
        problems=flag(request, "problems"),
        q=text(request, "q") or "",
        sort=cast("EvseOrder", text(request, "sort") or "id"),
    )
