"""Let nobody in without a key, on any path of the application, known or not.

What is open says so in its table of routes: an orchestrator's probes carry no credentials. Whose role is enough is
checked by `route_table`; who asks is found out by `access`. Never takes a key from an address. Before it: `problems`.
After it: the handler, with `request[PRINCIPAL]`.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote

from aiohttp import web

from bridge.web.access import ACCESS, PEER, SESSION, Access, TooManyFailures, WrongKey
from bridge.web.peers import Peer, is_own_page
from bridge.web.principals import PRINCIPAL, Principal
from bridge.web.route_table import route_of
from bridge.web.sessions import CSRF, CSRF_FIELD, CSRF_HEADER, LOGIN_PATH

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

__all__ = ["PRINCIPAL", "Principal", "is_still_good", "require_key"]

_SAFE = frozenset({"GET", "HEAD"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ocpp-bridge"'}
_HOW = (
    "send Authorization: Bearer or X-API-Key with a key (ocpp-bridge key create), or with the token from the file "
    "admin-token in the bridge's state folder"
)


def require_key(access: Access) -> Middleware:
    """Return a middleware that answers 401 to every request without a key in force, and leads people to the login page.

    Source: RFC 6750 §2.1 and §3.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[PEER] = peer = access.peer(request)
        route = route_of(request)
        if route is not None and route.role is None:
            return await handler(request)
        shown = _shown_key(access, request)
        if shown is not None:
            request[PRINCIPAL] = await _by_key(access, shown, peer)
        elif not await _by_cookie(access, request, peer):
            return _login_page(access, request, is_page=route is not None and route.page)
        elif request.method not in _SAFE:
            await _check_own_form(access, request)
        return await handler(request)

    return check


async def is_still_good(request: web.Request) -> bool:
    """Tell whether a request would still be let in: its key may have been revoked, its session ended, while we answer.

    For answers that go on for long; cheap enough for each sign of life. Raises: Unavailable.
    """
    return await request.app[ACCESS].is_still_good(request[PRINCIPAL], request.get(SESSION))


def _shown_key(access: Access, request: web.Request) -> str | None:
    """Return the key that a request shows; None: it shows none. Raises: HTTPUnauthorized."""
    bearers, keys = request.headers.getall("Authorization", []), request.headers.getall("X-API-Key", [])
    if not bearers and not keys:
        return None
    if len(bearers) + len(keys) > 1:
        access.refused("no_key")
        raise web.HTTPUnauthorized(text="more than one key was sent; send one, in one header", headers=_CHALLENGE)
    scheme, _, shown = bearers[0].partition(" ") if bearers else ("bearer", "", keys[0])
    if scheme.lower() != "bearer" or not shown.strip():
        access.refused("no_key")
        raise web.HTTPUnauthorized(text=_HOW, headers=_CHALLENGE)
    return shown.strip()


async def _by_key(access: Access, shown: str, peer: Peer) -> Principal:
    try:
        return (await access.by_key(shown, peer)).principal
    except WrongKey as error:
        text = f"the key is unknown, expired or revoked: {_HOW}"
        raise web.HTTPUnauthorized(text=text, headers=_CHALLENGE) from error
    except TooManyFailures as error:
        headers = {"Retry-After": str(error.wait_s)}
        raise web.HTTPTooManyRequests(text=str(error), headers=headers) from error


async def _by_cookie(access: Access, request: web.Request, peer: Peer) -> bool:
    found = await access.by_cookie(request, peer)
    if found is None:
        return False
    key, session = found
    request[PRINCIPAL], request[SESSION] = key.principal, session
    request[CSRF] = access.sessions.csrf(session)
    return True


def _login_page(access: Access, request: web.Request, *, is_page: bool) -> web.Response:
    """Return what leads people to the login page. Raises: HTTPUnauthorized where no person looks at the answer."""
    if not is_page:
        access.refused("no_key")
        raise web.HTTPUnauthorized(text=_HOW, headers=_CHALLENGE)
    after = request.path_qs if request.method in _SAFE else "/"
    return web.Response(status=303, headers={"Location": f"{LOGIN_PATH}?next={quote(after, safe='/')}"})


async def _check_own_form(access: Access, request: web.Request) -> None:
    """Refuse an unsafe request by cookie that another site may have made a browser send. Raises: HTTPForbidden."""
    if not is_own_page(request):
        access.refused("foreign_page")
        raise web.HTTPForbidden(text="this was sent by a page of another site")
    given: object = request.headers.get(CSRF_HEADER)
    if given is None and request.content_type in _FORMS:
        given = (await request.post()).get(CSRF_FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), request[CSRF].encode()):
        access.refused("foreign_page")
        raise web.HTTPForbidden(
            text=f"the field {CSRF_FIELD} or the header {CSRF_HEADER} is missing or not this session's: reload the page"
        )
