"""Ask a running bridge about one EVSE, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.explanation_routes` and `history_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from bridge.cli.answers import read_answer
from bridge.cli.failures import Missing, Unexpected
from bridge.core.temporary import to_wire
from bridge.web.explanation_shapes import Explanation
from bridge.web.history_services import DEFAULT_BUCKETS, DEFAULT_LIMIT
from bridge.web.history_shapes import EvseHistory, StatusHistory
from bridge.web.problem_shapes import Problem
from bridge.web.services import Unavailable, ValueRefused

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""

_Answer = TypeVar("_Answer", bound=BaseModel)


class RestExplanations:
    """A running bridge's explanations. Implements `bridge.web.explanation_services.ExplanationServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def of_evse(self, evse_id: str, operators: frozenset[str] | None = None) -> Explanation:
        """GET /api/v1/evses/{evse_id}/explain; the bridge knows by the key whose EVSEs there are. Raises: NotFound."""
        path = f"/api/v1/evses/{quote(evse_id, safe='')}/explain"
        return classified(*await self._request("GET", path, None), Explanation)


class RestHistory:
    """A running bridge's history. Implements `bridge.web.history_services.HistoryServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def of_evse(
        self,
        evse_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        newest: bool = False,
        operators: frozenset[str] | None = None,
    ) -> EvseHistory:
        """GET /api/v1/evses/{evse_id}/history. Raises: NotFound, ValueRefused."""
        place = {"newest": "true"} if newest else {} if cursor is None else {"cursor": cursor}
        query = {**_range(since, until), "limit": str(limit), **place}
        path = f"/api/v1/evses/{quote(evse_id, safe='')}/history?{urlencode(query)}"
        return classified(*await self._request("GET", path, None), EvseHistory)

    async def counts(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        buckets: int = DEFAULT_BUCKETS,
        operators: frozenset[str] | None = None,
    ) -> StatusHistory:
        """GET /api/v1/status/history. Raises: ValueRefused."""
        query = {**_range(since, until), "buckets": str(buckets)}
        return classified(
            *await self._request("GET", f"/api/v1/status/history?{urlencode(query)}", None), StatusHistory
        )


def _range(since: datetime | None, until: datetime | None) -> dict[str, str]:
    named = {"since": since, "until": until}
    return {name: to_wire(moment) for name, moment in named.items() if moment is not None}


def classified(status: int, text: str, model: type[_Answer]) -> _Answer:
    """Return the answer, or raise what the services inside the bridge raised."""
    if status == 200:
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404:
            raise Missing(problem.detail)
        case 400 | 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
