"""Follow a running bridge's events, as the same services that the bridge has inside.

Opens a connection of its own, which stays open. After it: `bridge.web.event_routes`, on the wire. Source: HTML Living
Standard, section 9.2.6, interpreting an event stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import urlencode

import aiohttp
from pydantic import ValidationError
from yarl import URL

from bridge.cli.failures import Missing, Unexpected, Unreachable
from bridge.core.feed import EventName
from bridge.web.event_services import Event, EventWish
from bridge.web.problem_shapes import Problem
from bridge.web.services import Unavailable, ValueRefused

_PATH = "/api/v1/events"
_SILENCE_S = 60
"""The bridge says something at least every 15 s."""
_LONGEST_LINE = 2**20


class RestEvents:
    """A running bridge's events. Implements `bridge.web.event_services.EventServices`."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url
        self._headers = headers

    @asynccontextmanager
    async def follow(self, wish: EventWish, last_id: str | None) -> AsyncIterator[RestStream]:
        """GET /api/v1/events. Raises: NotFound, Unavailable, Unreachable."""
        query = {"events": ",".join(sorted(wish.names)), "evse_id": wish.evse_id, "account": wish.account}
        asked = urlencode({name: value for name, value in query.items() if value})
        headers = {**self._headers, **({} if last_id is None else {"Last-Event-ID": last_id})}
        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=_SILENCE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers, read_bufsize=_LONGEST_LINE) as session,
                session.get(URL(f"{self._url}{_PATH}?{asked}", encoded=True)) as response,
            ):
                if response.status != 200:
                    raise _failure(response.status, await response.text())
                yield RestStream(response.content)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"the bridge at {self._url} does not answer: {str(error) or 'timeout'}") from error


class RestStream:
    """One stream, as its lines come."""

    def __init__(self, lines: aiohttp.StreamReader) -> None:
        self._lines = lines

    async def next(self, wait: timedelta) -> Event | None:
        """Return the next event, or None where the bridge only said that it is there. Raises: Unavailable at the end.

        Whoever runs out of patience while it waits loses nothing but the stream: `wait` is the bridge's own pace.
        """
        fields: dict[str, str] = {}
        while line := await self._lines.readline():
            name, _, value = line.decode("utf-8", "replace").rstrip("\r\n").partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            elif "data" in fields and fields.get("event") in set(EventName):
                return Event(fields.get("id", ""), EventName(fields["event"]), fields["data"])
            else:
                return None
        raise Unavailable("the bridge ended the stream")


def _failure(status: int, text: str) -> Exception:
    try:
        problem = Problem.model_validate_json(text)
    except ValidationError:
        return Unexpected(f"the bridge answered {status}")
    match status:
        case 404:
            return Missing(problem.detail)
        case 422:
            return ValueRefused("", problem.detail)
        case 503:
            return Unavailable(problem.detail)
        case _:
            return Unexpected(f"the bridge answered {status} {problem.title}: {problem.detail}")
