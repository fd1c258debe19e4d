"""State what the web and the command line need of the bridge to be told what changes.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bridge.core.feed import EventName


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    id: str
    """Names the place in the stream, for whoever goes on from there."""
    name: EventName
    data: str
    """JSON, of the shape in `event_shapes` that has this name."""


@dataclass(frozen=True, slots=True)
class EventWish:
    """What somebody wants to be told. Nothing chosen is everything."""

    names: frozenset[EventName] = frozenset()
    evse_id: str | None = None
    """In any of its spellings."""
    account: str | None = None
    operators: frozenset[str] | None = None
    """Whose EVSEs; None: everybody's."""


class EventStream(Protocol):
    """One client's events."""

    async def next(self, wait: timedelta) -> Event | None:
        """Return the next event, or None where none came within about `wait`. Raises: Unavailable, where it ended."""
        ...


class EventServices(Protocol):
    """Every method may raise Unavailable."""

    def follow(self, wish: EventWish, last_id: str | None) -> AbstractAsyncContextManager[EventStream]:
        """Open a stream: what followed `last_id` where all of that is known, otherwise a `reset`; then what changes.

        Raises: NotFound (EVSE, account); Unavailable where there are too many; NotRunning.
        """
        ...
