"""Ask a running bridge about unknown stations and refused attempts, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.quarantine_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bridge.cli.answers import read_answer
from bridge.cli.failures import Missing, Unexpected
from bridge.cli.pages import pages
from bridge.web.page import Page
from bridge.web.problem_shapes import Problem
from bridge.web.quarantine_shapes import AttemptList, Forgotten, MapReport, MapWish, QuarantineList
from bridge.web.services import RowsRefused, Unavailable, ValueRefused

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""

_PATH = "/api/v1/quarantine"
_Answer = TypeVar("_Answer", bound=BaseModel)


class RestQuarantine:
    """A running bridge's unknown stations. Implements `bridge.web.quarantine_services.QuarantineServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def list(self, page: Page | None = None) -> QuarantineList:
        """GET /api/v1/quarantine."""

        async def get(address: str) -> QuarantineList:
            return _classified(*await self._request("GET", address, None), QuarantineList)

        return await pages(get, _PATH, page)

    async def map(self, station: str, wish: MapWish) -> MapReport:
        """POST …/{id}/map. Raises: NotFound, RowsRefused."""
        body = wish.model_dump_json()
        return _classified(*await self._request("POST", f"{_PATH}/{quote(station, safe='')}/map", body), MapReport)

    async def forget(self, station: str) -> Forgotten:
        """DELETE …/{id}. Raises: NotFound."""
        return _classified(*await self._request("DELETE", f"{_PATH}/{quote(station, safe='')}", None), Forgotten)

    async def attempts(self, station: str | None, page: Page | None = None) -> AttemptList:
        """GET /api/v1/attempts."""
        named = "" if station is None else f"?station={quote(station, safe='')}"

        async def get(address: str) -> AttemptList:
            return _classified(*await self._request("GET", address, None), AttemptList)

        return await pages(get, f"/api/v1/attempts{named}", page)


def _classified(status: int, text: str, model: type[_Answer]) -> _Answer:
    """Return the answer, or raise what the services inside the bridge raised."""
    if status == 200:
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404:
            raise Missing(problem.detail)
        case 422 if problem.row_errors:
            raise RowsRefused(problem.row_errors)
        case 400 | 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case 401:
            raise Unexpected("the bridge refuses the token in the file admin-token: is the state folder its own?")
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
