"""Route requests about operators' keys, which only admins make.

Never decides, and never logs a body: an answer holds a key. Before it: `auth`. After it: `key_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer, read
from bridge.web.key_services import KeyServices
from bridge.web.key_shapes import KeyItem, KeyList, KeyMade, KeyWish
from bridge.web.page_query import PAGE, page_of
from bridge.web.principals import PRINCIPAL
from bridge.web.queries import flag
from bridge.web.route_table import Parameter, Route

log = structlog.get_logger(__name__)

PATH = "/api/v1/keys"
TAG = "keys"


class KeyRoutes:
    """The table of these routes."""

    def __init__(self, services: KeyServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        one = f"{PATH}/{{id:[0-9]{{1,18}}}}"
        yield Route(
            "GET",
            PATH,
            self.list_all,
            Role.ADMIN,
            "List keys.",
            TAG,
            KeyList,
            query=(*PAGE, Parameter("revoked", "Also those that were revoked.", "boolean")),
        )
        yield Route(
            "POST",
            PATH,
            self.create,
            Role.ADMIN,
            "Make a key, which is shown this once.",
            TAG,
            KeyMade,
            takes=KeyWish,
            status=201,
            fails=(409, 422),
            secret=True,
        )
        yield Route("GET", one, self.get, Role.ADMIN, "Show a key's role and use.", TAG, KeyItem, fails=(404,))
        yield Route("DELETE", one, self.revoke, Role.ADMIN, "Revoke a key at once.", TAG, KeyItem, fails=(404,))

    async def list_all(self, request: web.Request) -> web.Response:
        """Those that were not revoked; with revoked=true all."""
        return answer(await self._services.list(page_of(request), revoked=bool(flag(request, "revoked"))))

    async def create(self, request: web.Request) -> web.Response:
        """201 with the key."""
        by = request[PRINCIPAL].name
        made = await self._services.create(await read(request, KeyWish), by=by)
        log.info("key_created", number=made.item.id, name=made.item.name, role=made.item.role, by=by)
        response = answer(made, status=201)
        response.headers["Location"] = f"{PATH}/{made.item.id}"
        return response

    async def get(self, request: web.Request) -> web.Response:
        """One of them."""
        return answer(await self._services.get(int(request.match_info["id"])))

    async def revoke(self, request: web.Request) -> web.Response:
        """It counts no more; its row stays."""
        item = await self._services.revoke(int(request.match_info["id"]))
        log.info("key_revoked", number=item.id, name=item.name, by=request[PRINCIPAL].name)
        return answer(item)
