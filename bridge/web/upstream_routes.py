"""Route questions about accounts at hubs, and orders to them.

Never decides. Before it: `auth`. After it: `services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from aiohttp import web

from bridge.core.modes import Mode
from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.full_load_shapes import FullLoadItem, FullLoadRequest, Scope
from bridge.web.principals import PRINCIPAL
from bridge.web.queries import text
from bridge.web.route_table import Parameter, Route
from bridge.web.services import WebServices
from bridge.web.shapes import EnableRequest, UpstreamItem, UpstreamList, UpstreamPreview
from bridge.web.sync_shapes import Deletion, SyncReport, SyncRequest

UPSTREAMS = "/api/v1/upstreams"


class UpstreamRoutes:
    """The table of these routes."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one = f"{UPSTREAMS}/{{name}}"
        yield Route(
            "GET", UPSTREAMS, self.upstreams, Role.VIEWER, "List the accounts at hubs.", "upstreams", UpstreamList
        )
        yield Route(
            "GET", one, self.upstream, Role.VIEWER, "Show one account.", "upstreams", UpstreamItem, fails=(404,)
        )
        yield Route(
            "GET",
            f"{one}/preview",
            self.preview,
            Role.VIEWER,
            "Show what an account would be sent if it were live now.",
            "upstreams",
            UpstreamPreview,
            fails=(404,),
        )
        yield Route(
            "POST",
            f"{one}/enable",
            self.enable,
            Role.ADMIN,
            "Let an account send, or work out what it would send.",
            "upstreams",
            UpstreamItem,
            takes=EnableRequest,
            empty=True,
            fails=(404, 409),
        )
        yield Route(
            "POST",
            f"{one}/disable",
            self.disable,
            Role.ADMIN,
            "Let an account send nothing.",
            "upstreams",
            UpstreamItem,
            fails=(404,),
        )
        yield Route(
            "GET",
            f"{one}/sync",
            self.sync_preview,
            Role.VIEWER,
            "Show how what an account should have differs from what its hub acknowledged.",
            "upstreams",
            SyncReport,
            fails=(404,),
        )
        yield Route(
            "POST",
            f"{one}/sync",
            self.sync,
            Role.OPERATOR,
            "Send at once what the hub has not acknowledged.",
            "upstreams",
            SyncReport,
            takes=SyncRequest,
            empty=True,
            fails=(404,),
        )
        yield Route(
            "DELETE",
            f"{one}/documents/{{kind}}/{{key}}",
            self.delete_document,
            Role.ADMIN,
            "Delete a station or company at the hub that is no longer wanted.",
            "upstreams",
            Deletion,
            fails=(404, 409),
        )
        yield Route(
            "GET",
            f"{one}/full-load",
            self.full_load_preview,
            Role.VIEWER,
            "Show what a fullLoad would change at the hub.",
            "upstreams",
            FullLoadItem,
            query=(Parameter("scope", "What it replaces.", choices=("statuses", "data")),),
            fails=(404, 409),
        )
        yield Route(
            "POST",
            f"{one}/full-load",
            self.order_full_load,
            Role.OPERATOR,
            "Replace everything that the account has at the hub.",
            "upstreams",
            FullLoadItem,
            takes=FullLoadRequest,
            empty=True,
            fails=(404, 409),
        )

    async def upstreams(self, request: web.Request) -> web.Response:
        """All of them."""
        return answer(await self._services.list_upstreams())

    async def upstream(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(await self._services.get_upstream(request.match_info["name"]))

    async def preview(self, request: web.Request) -> web.Response:
        """What it would be sent."""
        return answer(await self._services.upstream_preview(request.match_info["name"]))

    async def enable(self, request: web.Request) -> web.Response:
        """Live or dry run, in the name of whoever asks."""
        body = await read(request, EnableRequest, empty=True)
        item = await self._services.set_mode(
            request.match_info["name"],
            Mode(body.mode),
            confirm_full_load=body.confirm_full_load,
            by=request[PRINCIPAL].name,
        )
        return answer(item)

    async def disable(self, request: web.Request) -> web.Response:
        """In the name of whoever asks."""
        item = await self._services.set_mode(
            request.match_info["name"], Mode.OFF, confirm_full_load=False, by=request[PRINCIPAL].name
        )
        return answer(item)

    async def sync_preview(self, request: web.Request) -> web.Response:
        """Sends nothing."""
        return answer(await self._services.sync_preview(request.match_info["name"]))

    async def sync(self, request: web.Request) -> web.Response:
        """What differs, or with forget everything."""
        body = await read(request, SyncRequest, empty=True)
        return answer(await self._services.sync(request.match_info["name"], forget=body.forget))

    async def delete_document(self, request: web.Request) -> web.Response:
        """It goes out in its turn."""
        place = request.match_info
        return answer(await self._services.delete_document(place["name"], place["kind"], place["key"]))

    async def full_load_preview(self, request: web.Request) -> web.Response:
        """Sends nothing."""
        scope = cast("Scope", text(request, "scope") or "statuses")
        return answer(await self._services.full_load_preview(request.match_info["name"], scope))

    async def order_full_load(self, request: web.Request) -> web.Response:
        """It goes out as soon as the account may send."""
        body = await read(request, FullLoadRequest, empty=True)
        return answer(await self._services.order_full_load(request.match_info["name"], body))
