"""Show temporary statuses as a calendar, create them for many EVSEs after a preview, and end them.

Never decides. Before it: `auth`. After it: `temporary_services`, `temporary_form`, `temporary_view`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.overview_services import EvseHome, PageServices
from bridge.web.pages import temporary_form, temporary_view, zones
from bridge.web.pages.forms import Form, read_form
from bridge.web.pages.notices import see_other
from bridge.web.pages.page_routes import sent, shown
from bridge.web.pages.rendering import Pages
from bridge.web.route_table import Route
from bridge.web.services import Conflict, NotFound, ValueRefused
from bridge.web.sessions import local_path
from bridge.web.temporary_shapes import TemporaryWish

PLACE = "temporary"
_PATH = "/temporary"
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_NAMES = {"evse_ids": "evse_ids", "valid_from": "from", "valid_to": "to", "kind": "status", "enforce": "enforce"}
"""Field of a refusal → field of the form."""


class TemporaryPages:
    """The table of these pages."""

    def __init__(self, services: PageServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield shown(_PATH, self.all, "Show temporary statuses.")
        yield shown(f"{_PATH}/new", self.new, "Show the form that creates some.", Role.OPERATOR)
        yield shown(f"{_PATH}/evses", self.find, "Find EVSEs for the form.", Role.OPERATOR)
        yield sent(f"{_PATH}/new", self.edit, "Show the form again.", Role.OPERATOR)
        yield sent(f"{_PATH}/preview", self.preview, "Show what creating them would do.", Role.OPERATOR)
        yield sent(_PATH, self.create, "Create temporary statuses.", Role.OPERATOR)
        yield sent(f"{_PATH}/end", self.end, "End temporary statuses now.", Role.OPERATOR)

    async def all(self, request: web.Request) -> web.Response:
        """Those in force and to come; with ended=1 those that are over, too."""
        ended, evse = request.query.get("ended") == "1", request.query.get("evse", "").strip()
        found = await self._services.temporaries.list(evse or None, "all" if ended else "current")
        zone = zones.zone_of(request)
        days = temporary_view.calendar(found.items, ZoneInfo(zone), ended=ended)
        page = self._page(request, "temporary.html", days=days, ended=ended, evse=evse, count=len(found.items))
        zones.keep_zone(request, page)
        return page

    async def new(self, request: web.Request) -> web.Response:
        """With the EVSEs that the address names."""
        named = "\n".join(request.query.getall("evse", []))
        form = Form({"evse_ids": (named,), "station": (request.query.get("station", ""),)})
        return await self._form(request, form)

    async def find(self, request: web.Request) -> web.Response:
        """Up to thirty whose id, or whose station's, has this part; separators do not count."""
        wanted = request.query.get("q", "")[:100]
        found = await asyncio.to_thread(temporary_form.matching, await self._homes(), wanted)
        return web.json_response({"found": [{"evse_id": home.evse_id, "station": home.station} for home in found]})

    async def edit(self, request: web.Request) -> web.Response:
        """With what was given before."""
        return await self._form(request, await read_form(request))

    async def preview(self, request: web.Request) -> web.Response:
        """Nothing is created yet."""
        form = await read_form(request)
        wish = await self._wish(form)
        if wish is None:
            return await self._form(request, form, code=422)
        try:
            preview = await self._services.temporaries.preview(wish)
        except ValueRefused as error:
            form.mistakes[_NAMES.get(error.field, "")] = error.wanted
            return await self._form(request, form, code=422)
        zone = ZoneInfo(form.text("zone", zones.UTC_NAME))
        return self._page(
            request,
            "temporary_preview.html",
            form=form,
            preview=preview,
            zone=zone,
            groups=temporary_view.grouped(preview),
        )

    async def create(self, request: web.Request) -> web.Response:
        """For every EVSE of the form, or for none."""
        form = await read_form(request)
        wish = await self._wish(form)
        if wish is None:
            return await self._form(request, form, code=422)
        try:
            made = await self._services.temporaries.create(wish, by=request[PRINCIPAL].name)
        except ValueRefused as error:
            form.mistakes[_NAMES.get(error.field, "")] = error.wanted
        except (NotFound, Conflict) as error:
            form.mistakes["evse_ids"] = str(error)
        else:
            return see_other(_PATH, f"Created: {wish.status.value} for {_count(len(made.items))}.")
        return await self._form(request, form, code=422)

    async def end(self, request: web.Request) -> web.Response:
        """All that are ticked, or none of them; with `only` that one. The field next is the page to return to."""
        form = await read_form(request)
        after = local_path(form.text("next") or _PATH)
        named = form.all("only") or form.all("id")
        numbers = tuple(dict.fromkeys(int(text) for text in named if _NUMBER.fullmatch(text)))
        if not numbers:
            return see_other(after, "Nothing was ended: tick what should end.")
        try:
            ended = await self._services.temporaries.end(numbers[:1000])
        except NotFound as error:
            return see_other(after, f"Nothing was ended: {error}. Perhaps somebody else has ended it.")
        return see_other(after, f"Ended: {_count(len(ended.items))}.")

    # --- what they share ----------------------------------------------------------------------------------------------

    async def _wish(self, form: Form) -> TemporaryWish | None:
        of_many = form.text("station") or form.text("operator")
        return temporary_form.read_wish(form, await self._homes() if of_many else ())

    async def _homes(self) -> Sequence[EvseHome]:
        return await self._services.overviews.homes()

    async def _form(self, request: web.Request, form: Form, code: int = 200) -> web.Response:
        homes = await self._homes()
        return self._page(
            request,
            "temporary_new.html",
            code=code,
            form=form,
            operators=sorted({home.operator for home in homes}),
            stations=sorted({home.station for home in homes})[:2000],
            twice={name: temporary_form.both_of(form, name) for name in ("from", "to")},
        )

    def _page(self, request: web.Request, template: str, *, code: int = 200, **context: object) -> web.Response:
        named = zones.zone_of(request)
        context.setdefault("zone", ZoneInfo(named))
        return self._pages.render(
            request,
            template,
            place=PLACE,
            code=code,
            view=temporary_view,
            zones=zones,
            zone_name=named,
            **context,
        )


def _count(count: int) -> str:
    return "1 EVSE" if count == 1 else f"{count} EVSEs"
