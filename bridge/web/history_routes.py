"""Route the questions about what EVSEs were.

Never decides. Before it: `auth`. After it: `history_services`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aiohttp import web
from pydantic import BaseModel

from bridge.core.roles import Role
from bridge.core.temporary import Impossible, parse_moment
from bridge.web.auth import PRINCIPAL
from bridge.web.history_services import (
    DEFAULT_BUCKETS,
    DEFAULT_LIMIT,
    LARGEST_BUCKETS,
    LARGEST_LIMIT,
    HistoryServices,
)
from bridge.web.history_shapes import EvseHistory, StatusHistory
from bridge.web.route_table import Parameter, Route

_RANGE = (
    Parameter("since", "From this moment on; 24 h before `until` where it is not given.", "moment"),
    Parameter("until", "Up to this moment; now where it is not given.", "moment"),
)


class HistoryRoutes:
    """The table of these routes."""

    def __init__(self, services: HistoryServices) -> None:
        self._services = services

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            "/api/v1/evses/{evse_id}/history",
            self.of_evse,
            Role.VIEWER,
            "Show what an EVSE was.",
            "EVSEs",
            EvseHistory,
            query=(
                *_RANGE,
                Parameter("limit", "How many changes at most.", "integer", 1, LARGEST_LIMIT),
                Parameter("cursor", "The `next_cursor` of the page before."),
            ),
            fails=(404, 422),
            scoped=True,
        )
        yield Route(
            "GET",
            "/api/v1/status/history",
            self.counts,
            Role.VIEWER,
            "Show how many EVSEs were what over time.",
            "status",
            StatusHistory,
            query=(*_RANGE, Parameter("buckets", "In so many steps.", "integer", 1, LARGEST_BUCKETS)),
            fails=(422,),
            scoped=True,
        )

    async def of_evse(self, request: web.Request) -> web.Response:
        """Since, until, limit, cursor."""
        found = await self._services.of_evse(
            request.match_info["evse_id"],
            _moment(request, "since"),
            _moment(request, "until"),
            limit=_whole(request, "limit", DEFAULT_LIMIT, LARGEST_LIMIT),
            cursor=request.query.get("cursor"),
            operators=request[PRINCIPAL].operators,
        )
        return _answer(found)

    async def counts(self, request: web.Request) -> web.Response:
        """Since, until, buckets."""
        found = await self._services.counts(
            _moment(request, "since"),
            _moment(request, "until"),
            _whole(request, "buckets", DEFAULT_BUCKETS, LARGEST_BUCKETS),
            request[PRINCIPAL].operators,
        )
        return _answer(found)


def _answer(model: BaseModel) -> web.Response:
    return web.Response(text=model.model_dump_json(by_alias=True), content_type="application/json")


def _whole(request: web.Request, name: str, default: int, largest: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise web.HTTPBadRequest(text=f"{name} should be a whole number from 1 to {largest}")
    return int(text)


def _moment(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return parse_moment(text, name)
    except Impossible as error:
        raise web.HTTPBadRequest(text=f"{name} should be a moment such as 2026-11-20T12:00:00Z") from error
