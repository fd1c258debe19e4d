"""A hand-written fake of the streams of events: what the test puts in, each client gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from bridge.web.event_services import Event, EventWish
from bridge.web.services import ServiceError


@dataclass
class FakeStream:
    """Gives what the test puts in."""

    queue: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    async def next(self, wait: timedelta) -> Event | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                return await self.queue.get()
        return None


@dataclass
class FakeEvents:
    """Implements `EventServices`; `wishes` is what was asked of it."""

    wishes: list[tuple[EventWish, str | None]] = field(default_factory=list)
    streams: list[FakeStream] = field(default_factory=list)
    begin: tuple[Event, ...] = ()
    """What every stream begins with."""
    failure: ServiceError | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def follow(self, wish: EventWish, last_id: str | None) -> AsyncIterator[FakeStream]:
        self.wishes.append((wish, last_id))
        if self.failure is not None:
            raise self.failure
        stream = FakeStream()
        for event in self.begin:
            stream.queue.put_nowait(event)
        self.streams.append(stream)
        self.opened.set()
        try:
            yield stream
        finally:
            self.closed.set()
