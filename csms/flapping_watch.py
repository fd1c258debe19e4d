"""Watch the takeovers of a running server, and warn once when a station begins to flap and once when it has calmed.

Never closes anything and never decides: `flapping` does. Before it: `server`, at each takeover. After it: the log, the
counter, and whoever asks for `flapping`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

import structlog

from csms.events import StationId
from csms.flapping import CALM_AFTER, Flapping, Takeovers
from csms.ports import Counter


class Connected(Protocol):
    """What is looked at of a session."""

    @property
    def station(self) -> StationId:
        """The station, as the registry spells it."""
        ...

    @property
    def remote(self) -> str:
        """Peer address and port."""
        ...


class FlappingWatch:
    """The takeovers of one server."""

    def __init__(
        self,
        counter: Counter,
        monotonic: Callable[[], float],
        own: Callable[[asyncio.Task[None]], None],
        calm_after: timedelta = CALM_AFTER,
    ) -> None:
        """`own` keeps the tasks that wait for calm, one for each station that flaps, and cancels them at the end."""
        self._counter = counter
        self._monotonic = monotonic
        self._own = own
        self._takeovers = Takeovers(calm_after=calm_after)
        self._log: structlog.stdlib.BoundLogger = structlog.get_logger()

    def flapping(self) -> tuple[Flapping, ...]:
        """Return the stations that flap now."""
        return self._takeovers.flapping()

    def taken_over(self, loser: Connected, winner: Connected) -> None:
        """Note that one connection of a station has replaced another."""
        station, hosts = winner.station, (host_of(loser.remote), host_of(winner.remote))
        if hosts[0] != hosts[1]:
            self._counter.count("connection_taken_over_by_other_address", station)
        if not self._takeovers.happened(station, *hosts, self._monotonic()):
            return
        self._counter.count("station_flapping", station)
        self._log.warning("station_flapping", station=station, hosts=list(hosts))
        self._own(asyncio.create_task(self._await_calm(station), name=f"await calm of {station}"))

    async def _await_calm(self, station: StationId) -> None:
        while (calm_at := self._takeovers.calm_at(station)) is not None:
            left = calm_at - self._monotonic()
            if left <= 0:
                break
            await asyncio.sleep(left)
        self._takeovers.calmed(station)
        self._log.info("station_calm", station=station)


def host_of(remote: str) -> str:
    """Return a peer's address without its port, which one behind a proxy has not."""
    return re.sub(r":[0-9]+$", "", remote)
