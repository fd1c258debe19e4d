"""Ask a running bridge about one EVSE, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.explanation_routes` and `history_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bridge.cli.answers import read_answer
from bridge.cli.failures import Missing, Unexpected
from bridge.web.explanation_shapes import Explanation
from bridge.web.services import Unavailable, ValueRefused
from bridge.web.shapes import Problem

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
