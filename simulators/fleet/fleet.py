"""Run many stations: start them spread out, bring them to rest together, and sum up what happened.

Never speaks OCPP itself: that is `station`. Around it: `command` (terminal) and `control` (HTTP).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from simulators.expected import Expected, expected
from simulators.fleet.behaviour import Behaviour
from simulators.fleet.counts import Counts
from simulators.fleet.journal import Journal
from simulators.fleet.layout import STATION_LEVEL
from simulators.fleet.line import Line
from simulators.fleet.plan import Plan
from simulators.fleet.scenario import SCENARIOS
from simulators.fleet.station import Station
from simulators.fleet.twin import Twin

_START_INTERVAL = timedelta(milliseconds=10)
"""Between the starts of two stations: handshakes cost the server most."""
_POLL_S = 0.05
_REPEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """Which fleet, and where it connects to."""

    plan: Plan
    scenario: str
    line: Line
    twins: int = 0
    """Stations, the first ones, of which there is a second device with the same id."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A fleet's numbers at one moment."""

    stations: int
    connected: int
    connections: int
    reports: int
    answered: int
    errors: int
    errors_by_kind: dict[str, int]
    refusals: int
    refused_stations: dict[str, int] = field(default_factory=dict)
    """HTTP status by station, of those that were never let in."""
    answer_ms_p50: float | None = None
    answer_ms_p99: float | None = None
    losses: int = 0
    """Losses of the network, restarts of stations among them."""
    power_cycles: int = 0
    left_open: int = 0
    """Connections that stations left half open."""
    twin_visits: int = 0
    """Connections of second devices with a station's id."""


class Fleet:
    """All stations of one run."""

    def __init__(self, options: FleetOptions, journal: Journal) -> None:
        """Lay the fleet out; nothing connects before `run`."""
        self.options = options
        self.journal = journal
        self.counts = Counts()
        scenario, seed = SCENARIOS[options.scenario], options.plan.seed
        self.stations = tuple(
            Station(spec, Behaviour(spec, scenario, seed), journal, self.counts, options.line, seed=seed)
            for spec in options.plan.specs()
        )
        self._twins = [Twin(station.spec, options.line, self.counts) for station in self.stations[: options.twins]]

    async def run(self) -> None:
        """Run every station until cancelled; then every connection is closed with 1001."""
        async with asyncio.TaskGroup() as tasks:
            for twin in self._twins:
                tasks.create_task(twin.run(), name="twin")
            for station in self.stations:
                tasks.create_task(station.run(), name=station.spec.station)
                await asyncio.sleep(_START_INTERVAL.total_seconds())

    async def rest(self, timeout: timedelta) -> tuple[str, ...]:
        """Bring every station to rest; returns those that were not settled in time, so that () is success."""
        for twin in self._twins:
            twin.rest()
        for station in self.stations:
            station.rest()
        loop = asyncio.get_running_loop()
        ends, repeat_at = loop.time() + timeout.total_seconds(), loop.time() + _REPEAT_S
        while (restless := self.unsettled()) and loop.time() < ends:
            await asyncio.sleep(_POLL_S)
            if loop.time() >= repeat_at:
                repeat_at += _REPEAT_S
                for station in self.stations:
                    station.repeat_unanswered()
        return restless

    def resume(self) -> None:
        """Let every station's behaviour go on."""
        for twin in self._twins:
            twin.resume()
        for station in self.stations:
            station.resume()

    def leave_open(self, share: float) -> tuple[str, ...]:
        """Let this share of the connected stations leave their connection half open and connect anew.

        Returns:
            The stations that do, which are chosen by the fleet's seed and the number of half-open connections before.
        """
        chosen = self._share(share, f"half-open:{self.options.plan.seed}:{self.counts.left_open}")
        for station in chosen:
            station.leave_open()
        return tuple(station.spec.station for station in chosen)

    def lose_network(self, share: float, lasting: timedelta) -> tuple[str, ...]:
        """Cut this share of the connected stations off at once, for so long in their own time; at rest for a moment.

        Returns:
            The stations that were, which are chosen by the fleet's seed and the number of losses before.
        """
        chosen = self._share(share, f"lose:{self.options.plan.seed}:{self.counts.losses}")
        for station in chosen:
            station.lose_network(lasting)
        return tuple(station.spec.station for station in chosen)

    def _share(self, share: float, seed: str) -> list[Station]:
        chance = random.Random(seed)
        return [station for station in self.stations if station.connected and chance.random() < share]

    def unsettled(self) -> tuple[str, ...]:
        """Return the stations that do not rest, or have said something that was not answered."""
        return tuple(station.spec.station for station in self.stations if not station.settled)

    def expected(self) -> tuple[Expected, ...]:
        """Return what every hub must hold, by the oracle."""
        return tuple(
            word
            for station in self.stations
            for word in expected(
                station.spec, self.journal.reports(station.spec.station, (STATION_LEVEL, *station.spec.connectors))
            )
        )

    def never_connected(self) -> bool:
        """Say whether no station was ever let in."""
        return not any(station.ever_connected for station in self.stations)

    def all_refused(self) -> bool:
        """Say whether every station's credentials were refused, and none was ever let in."""
        return self.never_connected() and all(station.refused is not None for station in self.stations)

    def summary(self) -> Summary:
        """Return the numbers of this moment."""
        refused = {
            station.spec.station: station.refused
            for station in self.stations
            if station.refused is not None and not station.ever_connected
        }
        return Summary(
            stations=len(self.stations),
            connected=sum(station.connected for station in self.stations),
            connections=self.counts.connections,
            reports=self.journal.count,
            answered=self.journal.answered,
            errors=sum(self.counts.errors.values()),
            errors_by_kind=dict(Counter(self.counts.errors)),
            refusals=self.counts.refusals,
            refused_stations=refused,
            answer_ms_p50=self.counts.answer_ms(50),
            answer_ms_p99=self.counts.answer_ms(99),
            losses=self.counts.losses,
            power_cycles=self.counts.power_cycles,
            left_open=self.counts.left_open,
            twin_visits=self.counts.twin_visits,
        )

    def summary_payload(self) -> dict[str, Any]:
        """Return the summary as JSON has it."""
        return asdict(self.summary())
