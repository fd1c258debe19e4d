"""Route the questions about the wire log; a follower asks again with the cursor and waits (long polling).

Never decides. Before it: `auth`. After it: `wire_services`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from aiohttp import web

from bridge.core.roles import Role
from bridge.core.temporary import Impossible, parse_moment
from bridge.web.bodies import answer
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
                limit=_whole(request, "limit", 1, LARGEST_LIMIT) or DEFAULT_LIMIT,
                after=_whole(request, "after", 0, _LARGEST_CURSOR),
                since=_moment(request, "since"),
                wait=timedelta(seconds=_whole(request, "wait", 0, int(LONGEST_WAIT.total_seconds())) or 0),
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


def _whole(request: web.Request, name: str, least: int, most: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise web.HTTPBadRequest(text=f"{name} should be a whole number from {least} to {most}")
    return int(text)


def _moment(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    if text is None:
        return None
    try:
        return parse_moment(text, name)
    except Impossible as error:
        raise web.HTTPBadRequest(text=f"{name} should be a moment such as 2026-11-20T12:00:00Z") from error
