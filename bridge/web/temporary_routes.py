"""Route our own requests about temporary statuses, which the command line sends; `spirii` has those of other clients.

Never decides. Before it: `auth`. After it: `temporary_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from bridge.core.model import Temporary
from bridge.core.roles import Role
from bridge.core.temporary import tag_of
from bridge.web.auth import PRINCIPAL
from bridge.web.bodies import answer, read
from bridge.web.conditions import condition_of
from bridge.web.page_query import PAGE, page_of
from bridge.web.queries import flag, text
from bridge.web.route_table import Parameter, Route
from bridge.web.scope import temporaries_for
from bridge.web.temporary_services import TemporaryServices, Which
from bridge.web.temporary_shapes import (
    TemporaryChange,
    TemporaryEnd,
    TemporaryItem,
    TemporaryList,
    TemporaryPreview,
    TemporaryWish,
)

PATH = "/api/v1/temporary-statuses"
TAG = "temporary statuses"


class TemporaryRoutes:
    """The table of these routes."""

    def __init__(self, services: TemporaryServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one = f"{PATH}/{{id:[0-9]{{1,18}}}}"
        yield Route(
            "GET",
            PATH,
            self.list_current,
            Role.VIEWER,
            "List temporary statuses in force or to come.",
            TAG,
            TemporaryList,
            query=(
                *PAGE,
                Parameter("evse_id", "Those of one EVSE."),
                Parameter("all", "Also those that are over.", "boolean"),
            ),
            fails=(404,),
            scoped=True,
        )
        yield Route(
            "POST",
            PATH,
            self.create,
            Role.OPERATOR,
            "Create one for each of several EVSEs, all or none.",
            TAG,
            TemporaryList,
            takes=TemporaryWish,
            fails=(404, 409, 422),
            scoped=True,
        )
        yield Route(
            "POST",
            f"{PATH}/preview",
            self.preview,
            Role.OPERATOR,
            "Show what creating one would do: the words that each hub would be told, and what overlaps.",
            TAG,
            TemporaryPreview,
            takes=TemporaryWish,
            fails=(404, 422),
            scoped=True,
        )
        yield Route(
            "POST",
            f"{PATH}/end",
            self.end,
            Role.OPERATOR,
            "End several, all or none.",
            TAG,
            TemporaryList,
            takes=TemporaryEnd,
            fails=(404, 409, 422),
            scoped=True,
        )
        yield Route(
            "GET",
            one,
            self.get,
            Role.VIEWER,
            "Show one temporary status.",
            TAG,
            TemporaryItem,
            fails=(404,),
            tagged=True,
            scoped=True,
        )
        yield Route(
            "PATCH",
            one,
            self.change,
            Role.OPERATOR,
            "Change one; what the body does not name stays.",
            TAG,
            TemporaryItem,
            takes=TemporaryChange,
            fails=(404, 409, 422),
            scoped=True,
            tagged=True,
            guarded=True,
        )

    def _of(self, request: web.Request) -> TemporaryServices:
        return temporaries_for(request, self._services)

    async def list_current(self, request: web.Request) -> web.Response:
        """Those in force or to come; with all=true also those that are over."""
        which: Which = "all" if flag(request, "all") else "current"
        return answer(await self._of(request).list(text(request, "evse_id"), which, page_of(request)))

    async def create(self, request: web.Request) -> web.Response:
        """For several EVSEs, all or none."""
        return answer(await self._of(request).create(await read(request, TemporaryWish), by=request[PRINCIPAL].name))

    async def preview(self, request: web.Request) -> web.Response:
        """Nothing is created."""
        return answer(await self._of(request).preview(await read(request, TemporaryWish)))

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        return _tagged(await self._of(request).get(int(request.match_info["id"])))

    async def change(self, request: web.Request) -> web.Response:
        """Other values for one; what the body does not name stays."""
        number, condition = int(request.match_info["id"]), condition_of(request)
        return _tagged(await self._of(request).change(number, await read(request, TemporaryChange), condition))

    async def end(self, request: web.Request) -> web.Response:
        """Several, all or none."""
        return answer(await self._of(request).end((await read(request, TemporaryEnd)).ids))


def _tagged(item: TemporaryItem) -> web.Response:
    """Name what can be changed of it: how far it is changes by itself."""
    response = answer(item)
    response.headers["ETag"] = tag_of(Temporary(item.status, item.valid_from, item.valid_to, item.enforce))
    return response
