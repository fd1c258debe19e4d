"""Show everybody whether one can charge: a page and a JSON document without login, off by default.

Never tells of stations, hubs or reasons, and never costs more than one look at the store in ten seconds, however many
look at it: what it shows is up to ten seconds old, and says of when it is. What many ask for is made once, too.
Before it: `tables`. After it: `overview_services`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from aiohttp import web

from bridge.web.overview_services import PageServices
from bridge.web.pages.notices import notice_of
from bridge.web.pages.public_view import ORDER, WORDS, PublicEvse, counted, part
from bridge.web.pages.rendering import Pages
from bridge.web.pages.words import rfc3339
from bridge.web.route_table import Route

_KEPT = timedelta(seconds=10)
_SHOWN = 240
_DOCUMENT = "/public.json"
_MOST_MADE = 32
"""Pages that are kept of one look, each of some 60 KiB: addresses can be thought up."""


@dataclass(frozen=True, slots=True)
class PublicOptions:
    """Whether there is a page for everybody; filled from the configuration."""

    on: bool = False
    indexed: bool = False
    """Search engines may keep it."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look at the store found, and what was made of it for those who asked."""

    at: datetime
    evses: tuple[PublicEvse, ...]
    counts: dict[str, int]
    made: dict[str, bytes] = field(default_factory=dict)
    """Address → the body of its answer."""


class PublicPages:
    """The table of these pages."""

    def __init__(self, services: PageServices, pages: Pages, options: PublicOptions) -> None:
        self._services = services
        self._pages = pages
        self._options = options
        self._asking = asyncio.Lock()
        self._look: _Look | None = None

    def routes(self) -> Iterable[Route]:
        """Return every request of this table; both are 404 where it is off."""
        about = "Tell everybody whether one can charge; off by default ([web] public_page)."
        page = Route("GET", "/public", self.page, None, about, "pages", media="text/html", page=True, described=False)
        yield page
        yield replace(page, path=_DOCUMENT, handler=self.document, media="application/json", page=False)

    async def page(self, request: web.Request) -> web.Response:
        """Those that the address asks for: status, q, after."""
        look, address = await self._evses(), request.path_qs
        if notice_of(request):
            return self._for_everybody(self._rendered(request, look))
        if address in look.made:
            return self._for_everybody(self._pages.again(look.made[address]))
        response = self._rendered(request, look)
        if len(look.made) < _MOST_MADE and isinstance(response.body, bytes):
            look.made[address] = response.body
        return self._for_everybody(response)

    def _rendered(self, request: web.Request, look: _Look) -> web.Response:
        status, q, after = (request.query.get(name, "")[:100] for name in ("status", "q", "after"))
        status = status if status in ORDER else ""
        found = part(look.evses, status=status, q=q, after=after, limit=_SHOWN)
        here = request.rel_url
        return self._pages.render(
            request,
            "public.html",
            at=look.at,
            counts=look.counts,
            found=found,
            status=status,
            q=q,
            next_href="" if found.following is None else str(here.update_query(after=found.following)),
            first_href=str(here.without_query_params("after")) if after else "",
        )

    async def document(self, request: web.Request) -> web.Response:
        """All of them."""
        look = await self._evses()
        body = look.made.get(_DOCUMENT)
        if body is None:
            items = [{"evse_id": evse.evse_id, "status": evse.status} for evse in look.evses]
            body = look.made[_DOCUMENT] = json.dumps({"at": rfc3339(look.at), "evses": items}).encode()
        return self._for_everybody(web.Response(body=body, content_type="application/json", charset="utf-8"))

    def _for_everybody(self, response: web.Response) -> web.Response:
        response.headers["Cache-Control"] = f"public, max-age={int(_KEPT.total_seconds())}"
        if not self._options.indexed:
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    async def _evses(self) -> _Look:
        """Return all of them, and when they were read. Raises: HTTPNotFound where the page is off."""
        if not self._options.on:
            raise web.HTTPNotFound
        async with self._asking:
            now = self._pages.clock()
            if self._look is None or not timedelta(0) <= now - self._look.at < _KEPT:
                read = await self._services.overviews.statuses()
                evses = tuple(PublicEvse(evse_id, WORDS[status]) for evse_id, status in read)
                self._look = _Look(now, evses, counted(evses))
            return self._look
