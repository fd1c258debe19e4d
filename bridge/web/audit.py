"""Write one line to the log for each order that somebody gave: who, what, and how it ended.

Never a body, never a value of a path or a query: those may say anything. Reading is no order. Before it: `problems`,
which has made an answer of every failure. After it: the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from bridge.web.access import PEER
from bridge.web.principals import PRINCIPAL
from bridge.web.route_table import route_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@web.middleware
async def audit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log an order of somebody who was let in, after it was answered."""
    response = await handler(request)
    principal, route = request.get(PRINCIPAL), route_of(request)
    if principal is None or route is None or request.method in _READING:
        return response
    log.info(
        "order_taken" if response.status < 400 else "order_refused",
        by=principal.name,
        role=principal.role,
        method=route.method,
        path=route.template,
        status=response.status,
        address=request[PEER].address,
    )
    return response
