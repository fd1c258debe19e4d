"""Route the questions about the wire log; a follower asks again with the cursor and waits (long polling).

Never decides. Before it: `auth`. After it: `wire_services`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from aiohttp import web

from bridge.core.roles import Role
from bridge.web.bodies import answer
from bridge.web.queries import moment, whole
from bridge.web.route_table import Parameter, Route
from bridge.web.wire_services import LONGEST_WAIT, WireLogServices
from bridge.web.wire_shapes import WireLines

PATH = "/api/v1/stations/{id}/log"
DEFAULT_LIMIT = 100
LARGEST_LIMIT = 10_000
_LARGEST_CURSOR = 2**63 - 1


class WireRoutes:
    """The table of these routes."""

    def __init__(self, services: WireLogServices) -> None:
        self._services = services
        self._asked: set[asyncio.Task[object]] = set()

    def routes(self) -> Iterable[Route]:
        """Return every request of this table."""
        yield Route(
            "GET",
            PATH,
            self.lines,
            Role.VIEWER,
            "Show what went over the wire of a station.",
            "stations",
            WireLines,
            query=(
                Parameter("limit", "How many at most.", "integer", 1, LARGEST_LIMIT),
                Parameter("after", "Those after this cursor of an earlier answer.", "integer", 0, _LARGEST_CURSOR),
                Parameter("since", "Those of this moment and later.", "moment"),
                Parameter(
                    "wait", "Seconds to wait where there is none yet.", "integer", 0, int(LONGEST_WAIT.total_seconds())
                ),
            ),
            fails=(404,),
        )

    async def lines(self, request: web.Request) -> web.Response:
        """The last lines of a station, or those after a cursor: limit, after, since (RFC 3339), wait (seconds)."""
        asked = asyncio.create_task(
            self._services.lines(
                request.match_info["id"],
                limit=whole(request, "limit") or DEFAULT_LIMIT,
                after=whole(request, "after"),
                since=moment(request, "since"),
                wait=timedelta(seconds=whole(request, "wait") or 0),
            ),
            name="wire log question",
        )
        self._asked.add(asked)
        try:
            return answer(await asked)
        except asyncio.CancelledError:
            if asked.cancelled():
                raise web.HTTPServiceUnavailable(text="the bridge is stopping") from None
            raise
        finally:
            asked.cancel()
            self._asked.discard(asked)

    async def end(self, app: web.Application) -> None:
        """Answer at once whoever waits for a line when the server ends."""
        for asked in self._asked:
            asked.cancel()
