"""Ask a running bridge about temporary statuses, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.temporary_routes`, on the wire.
"""

from __future__ import annotations

import json
from typing import Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from bridge.cli.answers import read_answer
from bridge.cli.failures import Missing, Unexpected
from bridge.cli.pages import pages
from bridge.core.etags import ANYTHING, Condition
from bridge.web.page import Page
from bridge.web.problem_shapes import Problem
from bridge.web.services import Changed, Conflict, Unavailable, ValueRefused
from bridge.web.temporary_services import Which
from bridge.web.temporary_shapes import (
    TemporaryChange,
    TemporaryItem,
    TemporaryList,
    TemporaryPreview,
    TemporaryWish,
)


class Request(Protocol):
    """Sends a request and returns (HTTP status, text)."""

    async def __call__(
        self, method: str, path: str, body: str | None = None, *, condition: Condition | None = None
    ) -> tuple[int, str]:
        """Send it; `condition`: what must be so for the change to be made."""
        ...


_PATH = "/api/v1/temporary-statuses"
_Answer = TypeVar("_Answer", bound=BaseModel)


class RestTemporaries:
    """A running bridge's temporary statuses. Implements `bridge.web.temporary_services.TemporaryServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def list(self, evse_id: str | None, which: Which, page: Page | None = None) -> TemporaryList:
        """GET /api/v1/temporary-statuses."""
        named = "" if evse_id is None else f"&evse_id={quote(evse_id, safe='')}"
        path = f"{_PATH}?all={'true' if which == 'all' else 'false'}{named}"

        async def get(address: str) -> TemporaryList:
            return _classified(*await self._request("GET", address, None), TemporaryList)

        return await pages(get, path, page)

    async def get(self, number: int) -> TemporaryItem:
        """GET …/{id}. Raises: NotFound."""
        return _classified(*await self._request("GET", f"{_PATH}/{number}", None), TemporaryItem)

    async def preview(self, wish: TemporaryWish) -> TemporaryPreview:
        """POST …/preview. Raises: ValueRefused."""
        return _classified(*await self._request("POST", f"{_PATH}/preview", wish.model_dump_json()), TemporaryPreview)

    async def create(self, wish: TemporaryWish, *, by: str) -> TemporaryList:
        """POST; the bridge knows by the token who asks. Raises: NotFound, ValueRefused, Conflict."""
        return _classified(*await self._request("POST", _PATH, wish.model_dump_json()), TemporaryList)

    async def change(self, number: int, change: TemporaryChange, condition: Condition = ANYTHING) -> TemporaryItem:
        """PATCH …/{id}. Raises: NotFound, ValueRefused, Conflict, Changed."""
        body = change.model_dump_json(exclude_unset=True)
        answered = await self._request("PATCH", f"{_PATH}/{number}", body, condition=condition)
        return _classified(*answered, TemporaryItem)

    async def end(self, numbers: tuple[int, ...]) -> TemporaryList:
        """POST …/end. Raises: NotFound."""
        body = json.dumps({"ids": numbers})
        return _classified(*await self._request("POST", f"{_PATH}/end", body), TemporaryList)


def _classified(status: int, text: str, model: type[_Answer]) -> _Answer:
    """Return the answer, or raise what the services inside the bridge raised."""
    if status == 200:
        return read_answer(text, model)
    problem = read_answer(text, Problem)
    match status:
        case 404:
            raise Missing(problem.detail)
        case 412:
            raise Changed
        case 409:
            raise Conflict(problem.detail)
        case 422:
            raise ValueRefused("", problem.detail)
        case 503:
            raise Unavailable(problem.detail)
        case 401:
            raise Unexpected("the bridge refuses the token in the file admin-token: is the state folder its own?")
        case _:
            raise Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
