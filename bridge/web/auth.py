"""Let nobody in without the token, on any path of the application, known or not.

Never keeps the token itself, only its digest. What is open says so in its table of routes: an orchestrator's probes
carry no credentials. Whose role is enough is checked by `route_table`.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bridge.core.roles import Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiohttp.typedefs import Handler, Middleware


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks."""

    name: str
    """As it is stored beside an order."""
    role: Role
    operators: frozenset[str] | None = None
    """Whose EVSEs this is about, by the operators' names in the configuration; None: everybody's."""


PRINCIPAL = web.RequestKey("principal", Principal)


def require_token(token: str, open_paths: Collection[str]) -> Middleware:
    """Return a middleware that answers 401 to every request without `Authorization: Bearer <token>`.

    `open_paths` are templates ("/livez", "/assets/{file}"); whatever is no path of ours is not open.

    Source: RFC 6750 §2.1 and §3.
    """
    digest = hashlib.sha256(token.encode("ascii")).digest()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _template(request) in open_paths:
            return await handler(request)
        if not _carries(request, digest):
            raise web.HTTPUnauthorized(
                text="send Authorization: Bearer with the token from the file admin-token in the bridge's state folder",
                headers={"WWW-Authenticate": 'Bearer realm="ocpp-bridge"'},
            )
        request[PRINCIPAL] = Principal("admin", Role.ADMIN)
        return await handler(request)

    return check


def _template(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def _carries(request: web.Request, digest: bytes) -> bool:
    values = request.headers.getall("Authorization", [])
    scheme, _, given = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    presented = hashlib.sha256(given.strip().encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(presented, digest) and scheme.lower() == "bearer"
