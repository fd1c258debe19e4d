"""Be a hub that keeps every request as it came and answers what a test says: the users' documents, to the letter.

Knows no hub's rules; those are in the mock hubs. Runs in the test's own event loop, on a real socket.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.acceptance.processes import until


@dataclass(frozen=True)
class Recorded:
    """One request; header names in lower case, the path as on the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Scripted:
    """One answer; `body` is sent as JSON unless it is text."""

    status: int
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class RecordingHub:
    """A hub of the test's choice, listening inside of `async with`."""

    def __init__(self, default: Scripted) -> None:
        self.default = default
        """What is answered where nothing else was scripted."""
        self.routes: dict[tuple[str, str], Scripted] = {}
        """What is answered to a method on a path (without its query), before the default."""
        self.requests: list[Recorded] = []
        self._answers: deque[Scripted] = deque()
        self._runner: web.ServerRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def answer_next(self, *answers: Scripted) -> None:
        """Answer the next requests so."""
        self._answers.extend(answers)

    def requests_to(self, method: str, path: str) -> list[Recorded]:
        """Return the requests with this method on this path (without its query)."""
        return [one for one in self.requests if (one.method, one.path.partition("?")[0]) == (method, path)]

    def heal(self) -> None:
        """Answer as by default from now on."""
        self._answers.clear()

    async def request(self, number: int, within: float = 10.0) -> Recorded:
        """Return a request by its number, from 0, once it came."""
        await until(lambda: len(self.requests) > number, within, f"request {number} of {len(self.requests)}")
        return self.requests[number]

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Recorded(request.method, request.raw_path, headers, json.loads(raw) if raw else None))
        route = (request.method, request.raw_path.partition("?")[0])
        answer = self._answers.popleft() if self._answers else self.routes.get(route, self.default)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return web.Response(
            status=answer.status,
            body=text.encode() or None,
            headers={**answer.headers, **({"Content-Type": answer.content_type} if text else {})},
        )
