"""Let nobody in without the token, on any path of the application, known or not.

Never keeps the token itself, only its digest. Two paths are open: an orchestrator's probes carry no credentials.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

OPEN_PATHS = frozenset({"/livez", "/readyz"})
ACTOR = web.RequestKey("actor", str)
"""Who asks, as it is stored beside an order."""


def require_token(token: str) -> Middleware:
    """Return a middleware that answers 401 to every request without `Authorization: Bearer <token>`.

    Source: RFC 6750 §2.1 and §3.
    """
    digest = hashlib.sha256(token.encode("ascii")).digest()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS and not _carries(request, digest):
            raise web.HTTPUnauthorized(
                text="send Authorization: Bearer with the token from the file admin-token in the bridge's state folder",
                headers={"WWW-Authenticate": 'Bearer realm="ocpp-bridge"'},
            )
        request[ACTOR] = "admin"
        return await handler(request)

    return check


def _carries(request: web.Request, digest: bytes) -> bool:
    values = request.headers.getall("Authorization", [])
    scheme, _, given = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    presented = hashlib.sha256(given.strip().encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(presented, digest) and scheme.lower() == "bearer"
