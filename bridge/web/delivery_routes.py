"""Route questions about requests to hubs, and orders to try again what was refused.

Never decides. Before it: `auth`. After it: `delivery_services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.bodies import answer, read
from bridge.web.delivery_services import (
    DEFAULT_BUCKETS,
    DEFAULT_LIMIT,
    LARGEST_BUCKETS,
    LARGEST_LIMIT,
    DeliveryQuery,
    DeliveryServices,
)
from bridge.web.delivery_shapes import (
    DeliveryLogDetail,
    DeliveryLogPage,
    DeliveryOutcome,
    RetryReport,
    RetryRequest,
    Throughput,
)
from bridge.web.queries import moment, text, texts, whole
from bridge.web.route_table import Parameter, Route

PATH = "/api/v1/deliveries"
TAG = "deliveries"
OUTCOMES: tuple[str, ...] = get_args(DeliveryOutcome)
_LIST = (
    Parameter("account", "Those of one account."),
    Parameter("evse_id", "Those about one EVSE's status, in any spelling."),
    Parameter("outcome", "Those that ended so.", choices=OUTCOMES, repeated=True),
    Parameter("kind", "status, full_load, survey, data_full_load, or a document's kind."),
    Parameter("since", "Those sent at this moment or later.", "moment"),
    Parameter("before", "Those sent before this moment.", "moment"),
    Parameter("limit", "How many at most.", "integer", 1, LARGEST_LIMIT),
    Parameter("cursor", "The `next_cursor` of the page before."),
)
_SPAN = (
    Parameter("since", "Beginning; else an hour before `until`.", "moment"),
    Parameter("until", "End; else now.", "moment"),
    Parameter("buckets", "Into how many spans.", "integer", 1, LARGEST_BUCKETS),
)


class DeliveryRoutes:
    """The table of these routes."""

    def __init__(self, services: DeliveryServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        viewer, operator = Role.VIEWER, Role.OPERATOR
        of_account = "/api/v1/upstreams/{name}"
        yield Route(
            "GET",
            PATH,
            self.list_newest,
            viewer,
            "List pushes to hubs, the newest first.",
            TAG,
            DeliveryLogPage,
            query=_LIST,
            fails=(404, 422),
            scoped=True,
        )
        yield Route(
            "GET",
            f"{PATH}/{{id:[0-9]{{1,18}}}}",
            self.get,
            viewer,
            "Show one push with what was sent and answered, masked.",
            TAG,
            DeliveryLogDetail,
            fails=(404,),
            scoped=True,
        )
        yield Route(
            "POST",
            "/api/v1/evses/{evse_id}/retry",
            self.retry,
            operator,
            "Send an EVSE's current status now, though the hub refused it or it waits.",
            TAG,
            RetryReport,
            takes=RetryRequest,
            fails=(404, 409),
            scoped=True,
        )
        yield Route(
            "POST",
            f"{of_account}/documents/{{kind}}/{{key}}/retry",
            self.retry_document,
            operator,
            "Send a document now, though the hub refused it or it waits.",
            TAG,
            RetryReport,
            fails=(404, 409),
        )
        yield Route(
            "GET",
            f"{of_account}/throughput",
            self.throughput,
            viewer,
            "Show what an account was sent over time, and how late.",
            TAG,
            Throughput,
            query=_SPAN,
            fails=(404, 422),
        )

    async def list_newest(self, request: web.Request) -> web.Response:
        """Pushes that match every filter that is given."""
        query = DeliveryQuery(
            account=text(request, "account"),
            evse_id=text(request, "evse_id"),
            outcomes=texts(request, "outcome"),
            kind=text(request, "kind"),
            since=moment(request, "since"),
            before=moment(request, "before"),
            limit=whole(request, "limit") or DEFAULT_LIMIT,
            cursor=text(request, "cursor"),
            operators=request[PRINCIPAL].operators,
        )
        return answer(await self._services.list(query))

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(await self._services.get(int(request.match_info["id"]), request[PRINCIPAL].operators))

    async def retry(self, request: web.Request) -> web.Response:
        """The current value of one EVSE at one account."""
        body, who = await read(request, RetryRequest), request[PRINCIPAL]
        evse_id = request.match_info["evse_id"]
        return answer(await self._services.retry(evse_id, body.account, by=who.name, operators=who.operators))

    async def retry_document(self, request: web.Request) -> web.Response:
        """The current content of one document."""
        place, by = request.match_info, request[PRINCIPAL].name
        return answer(await self._services.retry_document(place["name"], place["kind"], place["key"], by=by))

    async def throughput(self, request: web.Request) -> web.Response:
        """Spans of equal length."""
        since, until = moment(request, "since"), moment(request, "until")
        buckets = whole(request, "buckets") or DEFAULT_BUCKETS
        return answer(await self._services.throughput(request.match_info["name"], since, until, buckets))
