"""Put on every answer, streams included, what tells a browser to do nothing with it that we do not mean; renew cookies.

Never takes a header away that a handler set: pages bring a Content-Security-Policy of their own. Runs as an answer's
head is about to be sent. Before it: every handler. After it: the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.web.access import ACCESS, PEER, SESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""With "no-referrer" browsers would send forms of our own pages with the origin null."""


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add what the answer does not say by itself. A signal of aiohttp: on_response_prepare."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    session = request.get(SESSION)
    if session is None or "Set-Cookie" in response.headers:
        return
    sessions = request.app[ACCESS].sessions
    renewed = sessions.renewed(session)
    if renewed is not None and not sessions.is_over(session):
        response.headers["Set-Cookie"] = sessions.cookie(renewed, secure=request[PEER].secure)
