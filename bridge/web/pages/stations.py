"""Show stations: which there are, how each is connected and built, what it reported, said, and answered.

Never decides. A station that calls itself "attempts" has no page: that address is the list of refused ones. Before it:
`auth`. After it: `overview_services`, `station_services`, `station_view`, `station_orders`, `frames`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from aiohttp import web

from bridge.web.auth import PRINCIPAL
from bridge.web.overview_services import PageServices
from bridge.web.pages import frames, station_view
from bridge.web.pages.answers import Answered, Answers
from bridge.web.pages.forms import Form, read_form
from bridge.web.pages.notices import see_other
from bridge.web.pages.page_routes import sent, shown
from bridge.web.pages.rendering import Pages, segment, updates_itself
from bridge.web.pages.station_orders import ORDERS, carry_out, triggers
from bridge.web.route_table import Route
from bridge.web.services import NotRunning
from bridge.web.station_query import StationQuery
from bridge.web.station_shapes import VERSIONS
from bridge.web.wire_shapes import WireLine

PLACE = "stations"
_PATH = "/stations"
_ONE = f"{_PATH}/{{id}}"
_ON_A_PAGE = 200
_LINES = 200
_DOWNLOADED = 10_000


class StationPages:
    """The table of these pages."""

    def __init__(self, services: PageServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages
        self._answers = Answers()

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield shown(_PATH, self.all, "Show stations.")
        yield shown(f"{_PATH}/attempts", self.attempts, "Show connections that were refused.")
        yield shown(_ONE, self.one, "Show one station.")
        yield shown(f"{_ONE}/log.jsonl", self.download, "Give the wire log of a station as JSON lines.")
        for verb, order in ORDERS.items():
            yield sent(f"{_ONE}/{verb}", partial(self.order, verb), "Send a station an order.", order.role)

    async def all(self, request: web.Request) -> web.Response:
        """Those with problems first; what is chosen stands in the address."""
        given, page = request.query, _page_number(request.query.get("page", ""))
        chosen = StationQuery(
            limit=_ON_A_PAGE,
            offset=page * _ON_A_PAGE,
            connected={"yes": True, "no": False}.get(given.get("connected", "")),
            version=given.get("version") if given.get("version") in VERSIONS else None,
            vendor=given.get("vendor", "")[:100],
            q=given.get("q", "").strip()[:100],
            problems=given.get("problems") == "1",
        )
        found = await self._services.overviews.stations(chosen, patient=updates_itself(request))
        more = found.count > chosen.offset + _ON_A_PAGE
        return self._page(request, "stations.html", chosen=chosen, found=found, versions=VERSIONS, page=page, more=more)

    async def one(self, request: web.Request) -> web.Response:
        """Everything about it."""
        return await self._station(request, Form({}))

    async def order(self, verb: str, request: web.Request) -> web.Response:
        """Send it, and lead to the page that shows the answer."""
        station, form, order = request.match_info["id"], await read_form(request), ORDERS[verb]
        result = await carry_out(order, self._services.stations, station, form)
        if result is None:
            form.mistakes.setdefault("", next(iter(form.mistakes.values())))
            return await self._station(request, form, verb=verb, code=422)
        self._answers.keep(Answered(self._pages.clock(), request[PRINCIPAL].name, order.words(form)[:200], result))
        return see_other(f"{_PATH}/{segment(result.station)}#answers")

    async def attempts(self, request: web.Request) -> web.Response:
        """What was refused, why, and what to do about it."""
        station = request.query.get("station", "").strip() or None
        try:
            items = (await self._services.quarantine.attempts(station)).items
        except NotRunning:
            items = ()
        return self._page(request, "attempts.html", items=items, station=station or "")

    async def download(self, request: web.Request) -> web.Response:
        """A line of the file is a line of the log, as `ocpp-bridge station log --json` writes it."""
        station = request.match_info["id"]
        found = await self._services.wire_log.lines(station, limit=_DOWNLOADED)
        text = "".join(f"{line.model_dump_json()}\n" for line in found.items)
        return web.Response(
            text=text,
            content_type="application/jsonl",
            headers={"Content-Disposition": f'attachment; filename="{_file_name(station)}.jsonl"'},
        )

    # --- what they share ----------------------------------------------------------------------------------------------

    async def _station(self, request: web.Request, form: Form, *, verb: str = "", code: int = 200) -> web.Response:
        detail = await self._services.stations.get(request.match_info["id"])
        quirks = await self._services.quirks.of_station(detail.station)
        lines = await self._lines(detail.station)
        found = frames.frames(lines)
        direction, action = request.query.get("direction", ""), request.query.get("action", "")
        return self._page(
            request,
            "station.html",
            code=code,
            station=detail,
            quirks=quirks.items,
            frames=list(reversed(frames.chosen(found, direction, action))),
            actions=frames.actions(found),
            directions=frames.DIRECTIONS,
            direction=direction,
            action=action,
            cursor=lines[-1].id if lines else 0,
            answers=self._answers.of(detail.station),
            triggers=triggers(detail.version),
            form=form,
            verb=verb,
        )

    async def _lines(self, station: str) -> tuple[WireLine, ...]:
        return (await self._services.wire_log.lines(station, limit=_LINES)).items

    def _page(self, request: web.Request, template: str, *, code: int = 200, **context: object) -> web.Response:
        return self._pages.render(request, template, place=PLACE, code=code, view=station_view, **context)


def _page_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _file_name(station: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "_" for letter in station)
