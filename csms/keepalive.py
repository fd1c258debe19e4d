"""Ping every station once per interval, each at its own moment, so that what lies between keeps the connection open.

Never ends a session for a pong that does not come. Before it: `server`. After it: `session`, which sends the ping.

Source: RFC 6455 §5.5.2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog

from csms.ports import Counter
from csms.session import Session

log = structlog.get_logger(__name__)

_NO_PINGS = timedelta(0)
_TURNS_PER_INTERVAL = 10
_LONGEST_TURN = timedelta(seconds=10)
"""So that a station with an interval of its own gets its first ping in time."""


async def keep_alive(
    sessions: Callable[[], Iterable[Session]], usual: timedelta, clock: Callable[[], float], counter: Counter
) -> None:
    """Ping until cancelled; `usual` between the pings of a station without an interval of its own, zero for none.

    `clock`: monotonic seconds.
    """
    wait_s = 0.0
    while True:
        await asyncio.sleep(wait_s)
        try:
            wait_s = _ping_due(sessions(), usual, clock()) / _TURNS_PER_INTERVAL
        except Exception:
            # The loop's top: no socket may end the pings of the others.
            log.exception("ping_failed")
            counter.count("ping_failed")


def _ping_due(sessions: Iterable[Session], usual: timedelta, now: float) -> float:
    """Ping who is due, and return the shortest interval of all that are connected, in seconds."""
    shortest = min(usual, _LONGEST_TURN) if usual > _NO_PINGS else _LONGEST_TURN
    for session in sessions:
        interval = usual if session.ping_interval is None else session.ping_interval
        if interval <= _NO_PINGS:
            continue
        shortest = min(shortest, interval)
        if now - session.pinged_at >= interval.total_seconds():
            session.ping(now)
    return shortest.total_seconds()
