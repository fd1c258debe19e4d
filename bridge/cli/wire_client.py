"""Ask a running bridge for its wire log, as the same service that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.wire_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from bridge.cli.answers import read_answer
from bridge.cli.failures import Unexpected
from bridge.web.problem_shapes import Problem
from bridge.web.services import Unavailable
from bridge.web.wire_shapes import WireLines

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""


class RestWireLog:
    """A running bridge's wire log. Implements `bridge.web.wire_services.WireLogServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def lines(
        self,
        station: str,
        *,
        limit: int,
        after: int | None = None,
        since: datetime | None = None,
        wait: timedelta = timedelta(0),
    ) -> WireLines:
        """GET /api/v1/stations/{id}/log. Raises: Unavailable."""
        query: dict[str, str | int] = {"limit": limit, "wait": int(wait.total_seconds())}
        if after is not None:
            query["after"] = after
        if since is not None:
            query["since"] = since.isoformat()
        path = f"/api/v1/stations/{quote(station, safe='')}/log?{urlencode(query)}"
        status, text = await self._request("GET", path, None)
        if status == 200:
            return read_answer(text, WireLines)
        problem = read_answer(text, Problem)
        if status == 503:
            raise Unavailable(problem.detail)
        raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
