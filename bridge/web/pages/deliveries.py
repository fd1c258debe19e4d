"""Show what went out to hubs and how it ended: the log with filters, and one push with what was sent and answered.

Never decides. What is shown was masked before it was stored. Before it: `tables`. After it: `delivery_services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import get_args

from aiohttp import web

from bridge.web.delivery_services import DeliveryQuery
from bridge.web.delivery_shapes import DeliveryOutcome
from bridge.web.pages.page_routes import shown
from bridge.web.pages.rendering import Pages
from bridge.web.route_table import Parameter, Route
from bridge.web.services import WebServices

PATH = "/deliveries"
OUTCOMES: tuple[str, ...] = get_args(DeliveryOutcome)
_SPANS: Mapping[str, timedelta] = MappingProxyType(
    {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7)}
)
_KINDS = ("status", "full_load")
_FILTERS = (
    Parameter("account", "Those of one account."),
    Parameter("evse_id", "Those about one EVSE's status."),
    Parameter("outcome", "Those that ended so.", choices=OUTCOMES),
    Parameter("kind", "status, full_load or another kind."),
    Parameter("span", "Those of the last hour, day or week.", choices=tuple(_SPANS)),
    Parameter("cursor", "The page after this."),
)


class DeliveryPages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield replace(shown(PATH, self.list_newest, "Show what went out to hubs."), query=_FILTERS)
        yield shown(f"{PATH}/{{id:[0-9]{{1,18}}}}", self.one, "Show one push with what was sent and answered.")

    async def list_newest(self, request: web.Request) -> web.Response:
        """Those that match every filter, the newest first."""
        query = _query(request.query, self._pages.clock())
        page = await self._services.deliveries.list(query)
        accounts = [(item.name, item.name) for item in (await self._services.list_upstreams()).items]
        here = request.rel_url
        return self._pages.render(
            request,
            "deliveries.html",
            place="deliveries",
            deliveries=page.items,
            query=query,
            span=request.query.get("span", ""),
            accounts=accounts,
            outcomes=[(word, word.replace("_", " ")) for word in OUTCOMES],
            kinds=[(word, word.replace("_", " ")) for word in _KINDS],
            filtered=bool(set(request.query) - {"cursor"}),
            next_href="" if page.next_cursor is None else str(here.update_query(cursor=page.next_cursor)),
            first_href=str(here.without_query_params("cursor")) if query.cursor else "",
        )

    async def one(self, request: web.Request) -> web.Response:
        """One of them."""
        found = await self._services.deliveries.get(int(request.match_info["id"]))
        return self._pages.render(request, "delivery.html", place="deliveries", delivery=found)


def _query(asked: Mapping[str, str], now: datetime) -> DeliveryQuery:
    span = asked.get("span")
    outcome = asked.get("outcome")
    return DeliveryQuery(
        account=asked.get("account") or None,
        evse_id=asked.get("evse_id") or None,
        outcomes=(outcome,) if outcome else (),
        kind=asked.get("kind") or None,
        since=now - _SPANS[span] if span else None,
        cursor=asked.get("cursor"),
    )
