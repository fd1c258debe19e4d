"""Route the questions about what EVSEs were.

Never decides. Before it: `auth`. After it: `history_services`.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from pydantic import BaseModel

from bridge.core.roles import Role
from bridge.web.auth import PRINCIPAL
from bridge.web.history_services import (
    DEFAULT_BUCKETS,
    DEFAULT_LIMIT,
    LARGEST_BUCKETS,
    LARGEST_LIMIT,
    HistoryServices,
)
from bridge.web.history_shapes import EvseHistory, StatusHistory
from bridge.web.queries import flag, moment, text, whole
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
                Parameter("newest", "The last `limit` changes instead of the first; without cursor.", "boolean"),
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
        """Since, until, limit, cursor, newest."""
        found = await self._services.of_evse(
            request.match_info["evse_id"],
            moment(request, "since"),
            moment(request, "until"),
            limit=whole(request, "limit") or DEFAULT_LIMIT,
            cursor=text(request, "cursor"),
            newest=flag(request, "newest") or False,
            operators=request[PRINCIPAL].operators,
        )
        return _answer(found)

    async def counts(self, request: web.Request) -> web.Response:
        """Since, until, buckets."""
        found = await self._services.counts(
            moment(request, "since"),
            moment(request, "until"),
            whole(request, "buckets") or DEFAULT_BUCKETS,
            request[PRINCIPAL].operators,
        )
        return _answer(found)


def _answer(model: BaseModel) -> web.Response:
    return web.Response(text=model.model_dump_json(by_alias=True), content_type="application/json")
