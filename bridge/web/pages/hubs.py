"""Show the accounts at hubs, and take the orders about them: mode, fullLoad, sending again.

Never decides; every order shows first what it would do. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from aiohttp import web

from bridge.core.modes import Mode
from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.full_load_shapes import FullLoadRequest, Scope
from bridge.web.pages import hub_view
from bridge.web.pages.forms import Form, read_form
from bridge.web.pages.notices import see_other
from bridge.web.pages.page_routes import sent, shown
from bridge.web.pages.plots import span_of
from bridge.web.pages.rendering import Pages, segment
from bridge.web.route_table import Route
from bridge.web.services import Conflict, NotFound, WebServices
from bridge.web.shapes import UpstreamItem

PLACE = "hubs"
_ONE = "/hubs/{name}"


class HubPages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield shown("/hubs", self.all, "Show the accounts at hubs.")
        yield shown(_ONE, self.one, "Show one account.")
        yield shown(f"{_ONE}/mode", self.ask_mode, "Show what enabling an account would send.", Role.ADMIN)
        yield sent(f"{_ONE}/mode", self.set_mode, "Enable or disable an account.", Role.ADMIN)
        yield shown(f"{_ONE}/full-load", self.ask_full_load, "Show what a fullLoad would change.")
        yield sent(f"{_ONE}/full-load", self.order_full_load, "Order a fullLoad.", Role.OPERATOR)
        yield shown(f"{_ONE}/sync", self.ask_sync, "Show how an account differs from its hub.")
        yield sent(f"{_ONE}/sync", self.order_sync, "Send what differs.", Role.OPERATOR)
        yield sent(f"{_ONE}/retry", self.retry, "Send now what the hub refused of an EVSE.", Role.OPERATOR)

    async def all(self, request: web.Request) -> web.Response:
        """Those that need somebody first."""
        items = hub_view.problems_first((await self._services.list_upstreams()).items)
        return self._page(request, "hubs.html", items=items)

    async def one(self, request: web.Request) -> web.Response:
        """With what the hub refuses."""
        item = await self._item(request)
        report = await self._services.sync_preview(item.name)
        return self._page(
            request,
            "hub.html",
            item=item,
            report=report,
            plot_span=span_of(request, "1h"),
            plot_title="Lag and throughput",
        )

    # --- mode ---------------------------------------------------------------------------------------------------------

    async def ask_mode(self, request: web.Request) -> web.Response:
        """What would be sent, before anything is."""
        return await self._asked_mode(request, Form({}))

    async def set_mode(self, request: web.Request) -> web.Response:
        """Stored with who said so."""
        name, form = request.match_info["name"], await read_form(request)
        mode = _mode(form.text("mode"))
        try:
            item = await self._services.set_mode(
                name, mode, confirm_full_load=form.ticked("confirm_full_load"), by=request[PRINCIPAL].name
            )
        except Conflict as error:
            form.mistakes[""] = str(error)
            return await self._asked_mode(request, form, code=409)
        return see_other(_path(name), f"{item.name} is now {hub_view.mode_name(item.mode)}.")

    async def _asked_mode(self, request: web.Request, form: Form, code: int = 200) -> web.Response:
        item = await self._item(request)
        preview = await self._services.upstream_preview(item.name)
        wanted = form.text("mode") or request.query.get("mode", "live")
        return self._page(
            request, "hub_mode.html", code=code, item=item, preview=preview, wanted=_mode(wanted), form=form
        )

    # --- fullLoad -----------------------------------------------------------------------------------------------------

    async def ask_full_load(self, request: web.Request) -> web.Response:
        """The dry run: what would be added, changed and removed."""
        return await self._asked_full_load(request, _scope(request.query.get("scope", "statuses")), Form({}))

    async def order_full_load(self, request: web.Request) -> web.Response:
        """It goes out as soon as the account may send."""
        name, form = request.match_info["name"], await read_form(request)
        scope = _scope(form.text("scope", "statuses"))
        try:
            await self._services.order_full_load(name, FullLoadRequest(scope=scope, confirm=form.ticked("confirm")))
        except Conflict as error:
            form.mistakes["confirm"] = str(error)
            return await self._asked_full_load(request, scope, form, code=409)
        return see_other(_path(name), f"A fullLoad of {scope} is ordered: it goes out as soon as the account may send.")

    async def _asked_full_load(self, request: web.Request, scope: Scope, form: Form, code: int = 200) -> web.Response:
        item = await self._item(request)
        diff = await self._services.full_load_preview(item.name, scope)
        return self._page(request, "hub_full_load.html", code=code, item=item, diff=diff, form=form)

    # --- sending again ------------------------------------------------------------------------------------------------

    async def ask_sync(self, request: web.Request) -> web.Response:
        """What the account should have and what its hub acknowledged."""
        item = await self._item(request)
        return self._page(request, "hub_sync.html", item=item, report=await self._services.sync_preview(item.name))

    async def order_sync(self, request: web.Request) -> web.Response:
        """With `forget`, everything, agreed or not."""
        name, form = request.match_info["name"], await read_form(request)
        forget = form.ticked("forget")
        report = await self._services.sync(name, forget=forget)
        said = "everything" if forget else f"what differs ({report.to_send})"
        return see_other(_path(name), f"Sending {said} now.")

    async def retry(self, request: web.Request) -> web.Response:
        """The value that is desired now, never the one that was refused."""
        name, form = request.match_info["name"], await read_form(request)
        try:
            report = await self._services.deliveries.retry(form.text("evse_id"), name, by=request[PRINCIPAL].name)
        except Conflict as error:
            return see_other(_path(name), f"Not sent again: {error}.")
        held = f" It waits: {report.waits}." if report.waits else ""
        return see_other(_path(name), f"{report.evse_id}: {report.value} is sent again.{held}")

    # --- what they share ----------------------------------------------------------------------------------------------

    async def _item(self, request: web.Request) -> UpstreamItem:
        name = request.match_info["name"]
        for item in (await self._services.list_upstreams()).items:
            if item.name == name:
                return item
        raise NotFound("account", name)

    def _page(self, request: web.Request, template: str, *, code: int = 200, **context: object) -> web.Response:
        return self._pages.render(request, template, place=PLACE, code=code, view=hub_view, **context)


def _path(name: str) -> str:
    return f"/hubs/{segment(name)}"


def _mode(text: str) -> Mode:
    if text not in set(Mode):
        raise web.HTTPBadRequest(text="mode should be live, dry_run or off")
    return Mode(text)


def _scope(text: str) -> Scope:
    for scope in get_args(Scope):
        if text == scope:
            return "data" if scope == "data" else "statuses"
    raise web.HTTPBadRequest(text="scope should be statuses or data")
