"""Show stations that the inventory does not know, take one into it, or forget it.

Never decides. A key that was made is on one page alone, the answer to the order; it is kept nowhere. Before it: `auth`.
After it: `quarantine_services`, `quarantine_form`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.overview_services import PageServices
from bridge.web.pages import quarantine_form, station_view
from bridge.web.pages.forms import Form, read_form
from bridge.web.pages.notices import see_other
from bridge.web.pages.page_routes import sent, shown
from bridge.web.pages.rendering import Pages, segment
from bridge.web.quarantine_shapes import AttemptItem, QuarantineItem
from bridge.web.route_table import Route
from bridge.web.services import NotFound, NotRunning, RowsRefused

PLACE = "quarantine"
_PATH = "/quarantine"
_ONE = f"{_PATH}/{{station}}"
_ATTEMPTS = 20


class QuarantinePages:
    """The table of these pages."""

    def __init__(self, services: PageServices, pages: Pages) -> None:
        self._services = services
        self._pages = pages

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield shown(_PATH, self.all, "Show stations that the inventory does not know.")
        yield shown(f"{_ONE}/map", self.ask, "Show the form that takes one into the inventory.", Role.ADMIN)
        yield sent(f"{_ONE}/map", self.map, "Take one into the inventory.", Role.ADMIN)
        yield sent(f"{_ONE}/forget", self.forget, "Forget one.", Role.ADMIN)

    async def all(self, request: web.Request) -> web.Response:
        """Those that were seen last first, and below them who was refused."""
        found = await self._services.quarantine.list()
        attempts = await self._attempts()
        return self._page(
            request,
            "quarantine.html",
            unknown=found.items,
            items=attempts[:_ATTEMPTS],
            more=max(0, len(attempts) - _ATTEMPTS),
            station="",
        )

    async def ask(self, request: web.Request) -> web.Response:
        """The form."""
        try:
            return await self._asked(request, Form({}))
        except NotFound:
            return await self._taken(request)

    async def map(self, request: web.Request) -> web.Response:
        """It is disconnected, and logs in anew as a station of ours."""
        form = await read_form(request)
        wish = quarantine_form.read_wish(form)
        try:
            if wish is None:
                return await self._asked(request, form, code=422)
            report = await self._services.quarantine.map(request.match_info["station"], wish)
        except RowsRefused as error:
            form.mistakes[""] = "; ".join(row.problem for row in error.errors[:5])
            return await self._asked(request, form, code=422)
        except NotFound:
            return await self._taken(request)
        if report.key is not None or report.warnings:
            return self._page(request, "quarantine_mapped.html", report=report)
        return see_other(f"/stations/{segment(report.station)}", f"{report.station} is in the inventory now.")

    async def forget(self, request: web.Request) -> web.Response:
        """Where it connects again, it is back."""
        try:
            forgotten = await self._services.quarantine.forget(request.match_info["station"])
        except NotFound as error:
            return see_other(_PATH, f"{error}.")
        return see_other(_PATH, f"{forgotten.station} is forgotten until it connects again.")

    # --- what they share ----------------------------------------------------------------------------------------------

    async def _asked(self, request: web.Request, form: Form, code: int = 200) -> web.Response:
        item = await self._item(request.match_info["station"])
        homes = await self._services.overviews.homes()
        return self._page(
            request,
            "quarantine_map.html",
            code=code,
            item=item,
            form=form,
            operators=sorted({home.operator for home in homes}),
            suggested=quarantine_form.suggested(homes),
            given=_given(form),
            proofs=quarantine_form.PROOFS,
        )

    async def _taken(self, request: web.Request) -> web.Response:
        """Lead to the station that has left quarantine for the inventory. Raises: NotFound, it has not."""
        station = (await self._services.stations.get(request.match_info["station"])).station
        said = f"{station} is in the inventory already: perhaps somebody else has taken it in."
        return see_other(f"/stations/{segment(station)}", said)

    async def _item(self, station: str) -> QuarantineItem:
        for item in (await self._services.quarantine.list()).items:
            if item.station.casefold() == station.casefold():
                return item
        raise NotFound("station in quarantine", station)

    async def _attempts(self) -> tuple[AttemptItem, ...]:
        try:
            return (await self._services.quarantine.attempts(None)).items
        except NotRunning:
            return ()

    def _page(self, request: web.Request, template: str, *, code: int = 200, **context: object) -> web.Response:
        return self._pages.render(request, template, place=PLACE, code=code, view=station_view, **context)


def _given(form: Form) -> list[tuple[str, str]]:
    """Return what stands in the rows of the form, with room for more."""
    connectors, ids = form.fields.get("connector", ()), form.fields.get("evse_id", ())
    rows = list(zip(connectors, ids, strict=False))
    return rows + [("", "")] * max(1, quarantine_form.ROWS - len(rows))
