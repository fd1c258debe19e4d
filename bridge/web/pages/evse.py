"""Show one EVSE: what its station reports, what counts and why, what each hub has; its past, and what was sent.

Never decides. Before it: `tables`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.delivery_services import DeliveryQuery
from bridge.web.pages.forms import read_form
from bridge.web.pages.notices import see_other
from bridge.web.pages.page_routes import sent, shown
from bridge.web.pages.rendering import Pages, segment
from bridge.web.pages.timeline import Change, Timeline, timeline
from bridge.web.principals import PRINCIPAL
from bridge.web.route_table import Parameter, Route
from bridge.web.services import NotFound, WebServices
from bridge.web.shapes import EvseItem

PATH = "/evses/{evse_id}"
_SPANS: Mapping[str, timedelta] = MappingProxyType(
    {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
)
_LOG = 20
_CHANGES = 1000
"""The largest number that a picture is drawn of; of an EVSE with more, the first ones are left out, and it says so."""
_SPAN = Parameter("span", "How much of its past.", choices=tuple(_SPANS))


class EvsePages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield replace(shown(PATH, self.evse, "Show one EVSE."), query=(_SPAN,), scoped=True)
        about = "Send to a hub now what it refused or waits for."
        yield replace(sent(f"{PATH}/retry", self.retry, about, Role.OPERATOR), scoped=True)

    async def evse(self, request: web.Request) -> web.Response:
        """Everything about it on one page."""
        evse = await self._of(request)
        span = request.query.get("span") or "24h"
        past, past_cut = await self._past(evse, _SPANS[span])
        log = await self._services.deliveries.list(DeliveryQuery(evse_id=evse.evse_id, limit=_LOG))
        return self._pages.render(
            request,
            "evse.html",
            place="evses",
            evse=evse,
            explanation=await self._services.explanations.of_evse(evse.evse_id, request[PRINCIPAL].operators),
            temporaries=(await self._services.temporaries.list(evse.evse_id, "current")).items,
            deliveries=log.items,
            span=span,
            spans=tuple(_SPANS),
            past=past,
            past_cut=past_cut,
        )

    async def retry(self, request: web.Request) -> web.Response:
        """The field account says at which hub; 303 to the page."""
        evse, form = await self._of(request), await read_form(request)
        report = await self._services.deliveries.retry(evse.evse_id, form.text("account"), by=request[PRINCIPAL].name)
        said = (
            f"{report.value} is sent to {report.account} now"
            if not report.waits
            else f"{report.value} is sent when it can be: {report.waits}"
        )
        return see_other(f"/evses/{segment(evse.evse_id)}", said)

    async def _of(self, request: web.Request) -> EvseItem:
        """Return the EVSE of the path. Raises: NotFound, also where the key is bound to other operators."""
        evse = await self._services.get_evse(request.match_info["evse_id"])
        operators = request[PRINCIPAL].operators
        if operators is not None and evse.operator not in operators:
            raise NotFound("EVSE", request.match_info["evse_id"])
        return evse

    async def _past(self, evse: EvseItem, length: timedelta) -> tuple[Timeline, bool]:
        """Return what is drawn, and whether there is more before it."""
        until = self._pages.clock()
        since = until - length
        history = await self._services.history.of_evse(evse.evse_id, since, until, limit=_CHANGES, newest=True)
        drawn = timeline((Change(item.begin, item.status, item.rule) for item in history.items), since, until)
        return drawn, history.earlier
