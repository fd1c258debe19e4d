"""Show everybody whether one can charge: a page and a JSON document without login, off by default.

Never tells of stations, hubs or reasons, and never costs more than one look at the store in some seconds, however many
look at it. Before it: `tables`. After it: `services`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiohttp import web

from bridge.web.evse_query import EvseQuery
from bridge.web.pages.public_view import ORDER, WORDS, PublicEvse, counted, part
from bridge.web.pages.rendering import Pages
from bridge.web.pages.words import rfc3339
from bridge.web.route_table import Route
from bridge.web.services import WebServices

_KEPT = timedelta(seconds=10)
_AT_ONCE = 1000
_SHOWN = 240


@dataclass(frozen=True, slots=True)
class PublicOptions:
    """Whether there is a page for everybody; filled from the configuration."""

    on: bool = False
    indexed: bool = False
    """Search engines may keep it."""


class PublicPages:
    """The table of these pages."""

    def __init__(self, services: WebServices, pages: Pages, options: PublicOptions) -> None:
        self._services = services
        self._pages = pages
        self._options = options
        self._asking = asyncio.Lock()
        self._taken: tuple[datetime, tuple[PublicEvse, ...]] | None = None

    def routes(self) -> Iterable[Route]:
        """Return every request of this table; both are 404 where it is off."""
        about = "Tell everybody whether one can charge; off by default ([web] public_page)."
        page = Route("GET", "/public", self.page, None, about, "pages", media="text/html", page=True, described=False)
        yield page
        yield replace(page, path="/public.json", handler=self.document, media="application/json", page=False)

    async def page(self, request: web.Request) -> web.Response:
        """Those that the address asks for: status, q, after."""
        at, evses = await self._evses()
        status, q, after = (request.query.get(name, "")[:100] for name in ("status", "q", "after"))
        status = status if status in ORDER else ""
        found = part(evses, status=status, q=q, after=after, limit=_SHOWN)
        here = request.rel_url
        response = self._pages.render(
            request,
            "public.html",
            at=at,
            counts=counted(evses),
            found=found,
            status=status,
            q=q,
            next_href="" if found.following is None else str(here.update_query(after=found.following)),
            first_href=str(here.without_query_params("after")) if after else "",
        )
        return self._for_everybody(response)

    async def document(self, request: web.Request) -> web.Response:
        """All of them."""
        at, evses = await self._evses()
        items = [{"evse_id": evse.evse_id, "status": evse.status} for evse in evses]
        return self._for_everybody(web.json_response({"at": rfc3339(at), "evses": items}))

    def _for_everybody(self, response: web.Response) -> web.Response:
        response.headers["Cache-Control"] = f"public, max-age={int(_KEPT.total_seconds())}"
        if not self._options.indexed:
            response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    async def _evses(self) -> tuple[datetime, tuple[PublicEvse, ...]]:
        """Return all of them, and when they were read. Raises: HTTPNotFound where the page is off."""
        if not self._options.on:
            raise web.HTTPNotFound
        async with self._asking:
            now = self._pages.clock()
            if self._taken is None or not timedelta(0) <= now - self._taken[0] < _KEPT:
                self._taken = (now, await self._read())
            return self._taken

    async def _read(self) -> tuple[PublicEvse, ...]:
        found: list[PublicEvse] = []
        query = EvseQuery(limit=_AT_ONCE)
        while True:
            page = await self._services.list_evses(query)
            found += [PublicEvse(item.evse_id, WORDS[item.effective]) for item in page.items]
            if page.next_cursor is None:
                return tuple(found)
            query = replace(query, cursor=page.next_cursor)
