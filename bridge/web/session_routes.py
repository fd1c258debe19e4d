"""Log a browser in and out: a key comes in by a form once, and from then on a cookie stands for it.

Never keeps or shows the key; the page with the form is the dashboard's. Before it: that page. After it: `access`,
`sessions`.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

import structlog
from aiohttp import web

from bridge.core.roles import Role
from bridge.web.access import PEER, SESSION, Access, TooManyFailures, WrongKey
from bridge.web.peers import is_own_page
from bridge.web.principals import PRINCIPAL
from bridge.web.route_table import Route
from bridge.web.sessions import LOGIN_PATH, local_path, no_cookie

log = structlog.get_logger(__name__)

PATH = "/session"
TAG = "session"
_LONGEST_FORM = 16 * 1024


class SessionRoutes:
    """The table of these routes."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route("POST", PATH, self.begin, None, "Log in with a key.", TAG, status=303, page=True, described=False)
        yield Route(
            "POST",
            f"{PATH}/end",
            self.end,
            Role.VIEWER,
            "Log out.",
            TAG,
            status=303,
            page=True,
            described=False,
            scoped=True,
        )

    async def begin(self, request: web.Request) -> web.Response:
        """Take the fields key and next; 303 with a cookie, or back to the login page."""
        if not is_own_page(request):
            self._access.refused("foreign_page")
            raise web.HTTPForbidden(text="this was sent by a page of another site")
        if request.content_type != "application/x-www-form-urlencoded":
            raise web.HTTPUnsupportedMediaType(text="send a form: key and next, as application/x-www-form-urlencoded")
        if request.content_length is None or request.content_length > _LONGEST_FORM:
            raise web.HTTPBadRequest(text=f"the form should say its length, and have {_LONGEST_FORM} bytes at most")
        form = await request.post()
        after, peer = local_path(str(form.get("next", "/"))), request[PEER]
        try:
            found = await self._access.by_key(str(form.get("key", "")).strip(), peer)
        except WrongKey:
            return _to(f"{LOGIN_PATH}?failed=1&next={quote(after, safe='/')}")
        except TooManyFailures as error:
            place = f"{LOGIN_PATH}?failed=1&wait={error.wait_s}&next={quote(after, safe='/')}"
            return _to(place, {"Retry-After": str(error.wait_s)})
        log.info("session_begun", by=found.principal.name, role=found.principal.role, address=peer.address)
        session = self._access.sessions.begin(found.number, found.digest)
        return _to(after, {"Set-Cookie": self._access.sessions.cookie(session, secure=peer.secure)})

    async def end(self, request: web.Request) -> web.Response:
        """303 to the login page, without the cookie; no copy of it counts any more."""
        session = request.get(SESSION)
        if session is not None:
            self._access.sessions.end(session)
            log.info("session_ended", by=request[PRINCIPAL].name)
        return _to(LOGIN_PATH, {"Set-Cookie": no_cookie(secure=request[PEER].secure)})


def _to(place: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=303, headers={"Location": place, **(headers or {})})
