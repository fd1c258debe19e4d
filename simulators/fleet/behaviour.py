"""Decide what happens at one charging station, from a seed: cars come and go, things break, the network goes away.

Pure: no I/O, no clock, no global randomness; it gives delays, and who runs it does the waiting.
Before it: `layout`, `scenario`. After it: `station`, which waits, acts and reports.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from simulators.fleet.layout import STATION_LEVEL, Address, StationSpec, Version
from simulators.fleet.scenario import Scenario


class ConnectorState(StrEnum):
    """What is true at a connector; the words are those of OCPP 1.6 §7.7, which can tell them all apart."""

    FREE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


IN_USE = frozenset(
    {
        ConnectorState.PREPARING,
        ConnectorState.CHARGING,
        ConnectorState.SUSPENDED_EV,
        ConnectorState.SUSPENDED_EVSE,
        ConnectorState.FINISHING,
    }
)
"""A car stands at the connector."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The state at `address` becomes `state`; at (0, 0) it is the station's own, never more than up, out or broken."""

    address: Address
    state: ConnectorState


@dataclass(frozen=True, slots=True)
class ReadMeter:
    """A charging car's meter is due."""

    address: Address


@dataclass(frozen=True, slots=True)
class LoseNetwork:
    """The network is gone for this long; what happens meanwhile happens without the server."""

    lasting: timedelta


@dataclass(frozen=True, slots=True)
class PowerCycle:
    """The station restarts: gone for this long, and then it boots."""

    lasting: timedelta


Action = Turn | ReadMeter | LoseNetwork | PowerCycle


@dataclass(frozen=True, slots=True)
class Step:
    """Wait `delay`, then do `actions` in their order."""

    delay: timedelta
    actions: tuple[Action, ...]


_FLAP = timedelta(milliseconds=200)

_AFTER: Mapping[ConnectorState, tuple[tuple[ConnectorState, float], ...]] = {
    ConnectorState.PREPARING: (
        (ConnectorState.CHARGING, 8),
        (ConnectorState.FREE, 2),
        (ConnectorState.FAULTED, 0.2),
    ),
    ConnectorState.CHARGING: (
        (ConnectorState.SUSPENDED_EV, 2),
        (ConnectorState.SUSPENDED_EVSE, 2),
        (ConnectorState.FINISHING, 5),
        (ConnectorState.FAULTED, 0.3),
    ),
    ConnectorState.SUSPENDED_EV: ((ConnectorState.CHARGING, 5), (ConnectorState.FINISHING, 5)),
    ConnectorState.SUSPENDED_EVSE: ((ConnectorState.CHARGING, 5), (ConnectorState.FINISHING, 5)),
    ConnectorState.FINISHING: ((ConnectorState.FREE, 9), (ConnectorState.UNAVAILABLE, 0.5)),
    ConnectorState.RESERVED: ((ConnectorState.PREPARING, 6), (ConnectorState.FREE, 4)),
    ConnectorState.UNAVAILABLE: ((ConnectorState.FREE, 1),),
    ConnectorState.FAULTED: ((ConnectorState.FREE, 8), (ConnectorState.UNAVAILABLE, 1)),
}
"""What follows a state, with weights; every pair is legal by the table in OCPP 1.6 §4.9."""

_NETWORK = "network"
_STATION = "station"


class Behaviour:
    """One station's story. Each call of `step` goes on with it; the same seed tells the same story."""

    def __init__(self, spec: StationSpec, scenario: Scenario, seed: int) -> None:
        """Begin with every connector free and the station in service."""
        self._spec = spec
        self._scenario = scenario
        self._random = random.Random(f"behaviour:{seed}:{spec.station}")
        self._now = timedelta()
        self._due: list[tuple[timedelta, int, Address | str]] = []
        self._order = 0
        self._states = dict.fromkeys(spec.reported, ConnectorState.FREE)
        self._service = ConnectorState.FREE
        self._flaps: dict[Address, int] = {}
        self._taken_out: list[Address] = []
        for address in spec.connectors:
            self._schedule(address, scenario.gap)
        self._schedule(_STATION, scenario.outage_every)
        self._schedule(_NETWORK, scenario.loss_every)

    @property
    def states(self) -> Mapping[Address, ConnectorState]:
        """Return what is true now at every address that the station reports."""
        return self._states

    def step(self) -> Step:
        """Return what happens next."""
        begun = self._now
        while True:
            self._now, _, what = heapq.heappop(self._due)
            actions = tuple(self._happen(what))
            if actions:
                return Step(self._now - begun, actions)

    def rest(self) -> tuple[Turn, ...]:
        """Return the last changes before the station comes to rest, wherever each connector then stands."""
        turns: list[Turn] = []
        self._flaps.clear()
        for address in self._spec.connectors:
            if self._random.random() < 0.5:
                turns.extend(self._change(address))
        return tuple(turns)

    def _happen(self, what: Address | str) -> Iterator[Action]:
        if what == _NETWORK:
            yield self._lose_network()
        elif what == _STATION:
            yield from self._change_service()
        else:
            assert isinstance(what, Address)  # the heap holds the two words above and addresses
            yield from self._visit(what)

    def _lose_network(self) -> Action:
        scenario = self._scenario
        mean = scenario.loss_long if self._random.random() < scenario.long else scenario.loss_short
        lasting = self._around(mean)
        self._schedule(_NETWORK, lasting + scenario.loss_every)
        return PowerCycle(lasting) if self._random.random() < scenario.power_cycle else LoseNetwork(lasting)

    def _visit(self, address: Address) -> Iterator[Action]:
        if self._states[address] is ConnectorState.CHARGING and self._random.random() < 0.4:
            yield ReadMeter(address)
        else:
            yield from self._change(address)
        self._schedule(address, self._stay(address))

    def _change(self, address: Address) -> Iterator[Turn]:
        """Move one connector on, together with those of its EVSE that a reservation ties to it."""
        before = self._states[address]
        after = self._choose(address, before)
        if after is None:
            return
        for one in (address, *self._tied(address, before, after)):
            self._states[one] = after if one == address or after is ConnectorState.RESERVED else ConnectorState.FREE
            yield Turn(one, self._states[one])

    def _tied(self, address: Address, before: ConnectorState, after: ConnectorState) -> tuple[Address, ...]:
        """Return the connectors that change along. Source: OCPP 2.0.1 Part 2 H01, all connectors of a reserved EVSE."""
        tied = self._spec.version.has_evses and ConnectorState.RESERVED in (before, after)
        return self._spec.siblings(address) if tied else ()

    def _choose(self, address: Address, before: ConnectorState) -> ConnectorState | None:
        if before is ConnectorState.FREE:
            return self._next_of_free(address)
        if address in self._flaps and before is ConnectorState.PREPARING:
            return ConnectorState.FREE
        options = [(state, weight) for state, weight in _AFTER[before] if self._allowed(address, state)]
        return self._draw(options)

    def _next_of_free(self, address: Address) -> ConnectorState | None:
        scenario = self._scenario
        if self._flapping(address) and self._allowed(address, ConnectorState.PREPARING):
            return ConnectorState.PREPARING
        arrive = 1 - scenario.fault - scenario.reserve - scenario.unavailable
        options = (
            (ConnectorState.PREPARING, arrive),
            (ConnectorState.RESERVED, scenario.reserve),
            (ConnectorState.FAULTED, scenario.fault),
            (ConnectorState.UNAVAILABLE, scenario.unavailable),
        )
        return self._draw([(state, weight) for state, weight in options if self._allowed(address, state)])

    def _flapping(self, address: Address) -> bool:
        left = self._flaps.pop(address, None)
        if left is None and self._random.random() < self._scenario.flap:
            left = self._random.randint(2, 6)
        if not left:
            return False
        self._flaps[address] = left - 1
        return True

    def _allowed(self, address: Address, state: ConnectorState) -> bool:
        """Say whether physics and the service state allow it: one car per EVSE, nothing new while out of service."""
        siblings = [self._states[sibling] for sibling in self._spec.siblings(address)]
        match state:
            case ConnectorState.PREPARING:
                tied = {ConnectorState.RESERVED} if self._states[address] is ConnectorState.RESERVED else set()
                taken = (IN_USE | {ConnectorState.RESERVED}) - tied
                return self._service is ConnectorState.FREE and not taken.intersection(siblings)
            case ConnectorState.RESERVED:
                return self._service is ConnectorState.FREE and set(siblings) <= {ConnectorState.FREE}
            case ConnectorState.CHARGING:
                return self._service is ConnectorState.FREE
            case _:
                return self._service is ConnectorState.FREE or self._spec.version is Version.V16

    def _change_service(self) -> Iterator[Turn]:
        if self._service is ConnectorState.FREE:
            yield from self._go_out()
        else:
            yield from self._come_back()
        down = self._service is not ConnectorState.FREE
        self._schedule(_STATION, self._scenario.repair if down else self._scenario.outage_every)

    def _go_out(self) -> Iterator[Turn]:
        """Take the whole station out of service.

        1.6 tells connector 0 only (§4.9: no direct connection to the connectors'); 2.x tells every connector, and
        only when nobody charges (Part 2, G03).
        """
        match self._spec.version:
            case Version.V16:
                out = self._random.choice((ConnectorState.UNAVAILABLE, ConnectorState.FAULTED))
            case Version.V201 | Version.V21:
                if IN_USE.intersection(self._states.values()):
                    return
                out = ConnectorState.UNAVAILABLE
                self._taken_out = [address for address in self._spec.connectors if self._can_be_taken_out(address)]
        yield from self._set_service(out)
        for address in self._taken_out:
            self._states[address] = ConnectorState.UNAVAILABLE
            yield Turn(address, ConnectorState.UNAVAILABLE)

    def _can_be_taken_out(self, address: Address) -> bool:
        return self._states[address] in (ConnectorState.FREE, ConnectorState.RESERVED)

    def _come_back(self) -> Iterator[Turn]:
        yield from self._set_service(ConnectorState.FREE)
        for address in self._taken_out:
            self._states[address] = ConnectorState.FREE
            yield Turn(address, ConnectorState.FREE)
        self._taken_out = []

    def _set_service(self, state: ConnectorState) -> Iterator[Turn]:
        self._service = state
        if STATION_LEVEL in self._states:
            self._states[STATION_LEVEL] = state
            yield Turn(STATION_LEVEL, state)

    def _stay(self, address: Address) -> timedelta:
        if address in self._flaps:
            return _FLAP
        match self._states[address]:
            case ConnectorState.FREE:
                return self._scenario.gap
            case ConnectorState.UNAVAILABLE | ConnectorState.FAULTED:
                return self._scenario.repair
            case _:
                return self._scenario.dwell

    def _schedule(self, what: Address | str, mean: timedelta) -> None:
        self._order += 1
        heapq.heappush(self._due, (self._now + self._around(mean), self._order, what))

    def _around(self, mean: timedelta) -> timedelta:
        return mean * self._random.uniform(0.3, 1.7)

    def _draw(self, options: list[tuple[ConnectorState, float]]) -> ConnectorState | None:
        if not options:
            return None
        states, weights = zip(*options, strict=True)
        (chosen,) = self._random.choices(states, weights)
        assert isinstance(chosen, ConnectorState)  # zip loses the type
        return chosen
