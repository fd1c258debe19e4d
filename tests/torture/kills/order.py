"""Judge whether any request of ours carried an older value than an earlier one. Pure; knows no line of the product.

What an EVSE's status can have been at each moment follows from what its station said and had answered, and from what
operators ordered: between the sending of a report and its answer it may be in force or not, after its answer it is,
and without an answer it may be for ever. A lane has one request in flight, so the value of a request was taken between
the end of the lane's request before it and its own receipt. A request whose value the EVSE's status cannot have been in
that time carries an older one (or one that never was). Those times of two requests never overlap, so that values which
come back again and again deceive nobody.

Before it: `watch`. Beside it: `simulators.expected`, which says what reports mean.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from simulators.expected import CHARGEPRICE, HUBJECT, effective
from simulators.fleet.journal import Kind, Report
from simulators.fleet.layout import STATION_LEVEL, Address, EvseSpec, StationSpec

WORDS: Mapping[str, Mapping[str, str]] = {
    "hubject": HUBJECT | {"maintenance": "OutOfService", "blocked": "Occupied"},
    "chargeprice": CHARGEPRICE | {"maintenance": "maintainance", "blocked": "occupied"},
}
"""Source: OICP 2.3 CPO, EvseStatusType; Chargeprice API, status of a charge point."""

_AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class Order:
    """An operator's order about one EVSE: a temporary status, or None for its end."""

    evse_id: str
    status: str | None
    sent_s: float
    answered_s: float = 0.0
    """0: it was never answered."""


@dataclass(frozen=True, slots=True)
class _State:
    """What may be in force of one EVSE: as little as its status follows from, so that few are told apart."""

    statuses: tuple[tuple[Address, str], ...] = ()
    """Of its connectors and of the station itself, the last status."""
    charging: str | None = None
    """The chargingState of a transaction that goes on. Source: OCPP 2.0.1 Part 2, E02."""
    temporary: str | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    at: float
    what: Report | Order
    sure: bool
    """It is in force from now on; else it may be."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What one EVSE's effective status can have been: `words[i]` from `since[i]` on, until `since[i + 1]`."""

    since: tuple[float, ...]
    words: tuple[frozenset[str], ...]

    def possible(self, begin: float, end: float) -> frozenset[str]:
        """Return every word that can have been in force at any moment from `begin` to `end`."""
        first = max(bisect_right(self.since, begin) - 1, 0)
        return frozenset().union(*self.words[first : max(bisect_right(self.since, end), first + 1)])


@dataclass(frozen=True, slots=True)
class Finding:
    """A request that carried what cannot have been in force any more, or ever."""

    hub: str
    request: int
    key: str
    value: str
    possible: frozenset[str]
    times: tuple[float, float]

    def __str__(self) -> str:
        """Return what a reader needs to look it up in the journals."""
        begin, end = self.times
        return (
            f"{self.hub}: request {self.request} carried {self.value} for {self.key}, which from {begin:.3f} "
            f"to {end:.3f} can only have been {sorted(self.possible)}"
        )


def timelines(
    specs: Iterable[StationSpec], reports: Iterable[Report], orders: Iterable[Order], *, held: bool
) -> dict[tuple[str, str], Timeline]:
    """Return the timeline of every EVSE by (hub, its key there).

    `held`: Available counts only after it has stood for a while, so until another status counts, the one before may.
    """
    said: defaultdict[str, list[Report]] = defaultdict(list)
    for report in reports:
        said[report.station].append(report)
    ordered: defaultdict[str, list[Order]] = defaultdict(list)
    for order in orders:
        ordered[order.evse_id].append(order)
    found: dict[tuple[str, str], Timeline] = {}
    for spec in specs:
        for evse in spec.evses:
            line = timeline(spec, evse, said[spec.station], ordered[evse.evse_id], held=held)
            found["hubject", evse.evse_id] = found["chargeprice", evse.chargeprice_key] = line
    return found


def timeline(
    spec: StationSpec, evse: EvseSpec, reports: Iterable[Report], orders: Iterable[Order], *, held: bool
) -> Timeline:
    """Return the timeline of one EVSE, from all that its station said and all that was ordered of it."""
    mine = [report for report in reports if report.address in (STATION_LEVEL, *evse.connectors)]
    states = frozenset({_State()})
    known: dict[_State, frozenset[str]] = {}
    since, words = [0.0], [frozenset({"unknown"})]
    for event in sorted(_events([*mine, *orders]), key=lambda event: event.at):
        applied = frozenset(_after(state, event.what) for state in states)
        states = applied if event.sure else states | applied
        known |= {state: _words(spec, evse, state) for state in states if state not in known}
        now = frozenset().union(*(known[state] for state in states))
        since.append(event.at)
        words.append(now | words[-1] if held and _AVAILABLE in now else now)
    return Timeline(tuple(since), tuple(words))


def _events(whats: Iterable[Report | Order]) -> Iterator[_Event]:
    for what in whats:
        yield _Event(what.sent_s, what, sure=False)
        if what.answered_s:
            yield _Event(what.answered_s, what, sure=True)


def _after(state: _State, what: Report | Order) -> _State:
    """Return what is in force once this is; twice is as once."""
    match what:
        case Order():
            return replace(state, temporary=what.status)
        case Report(kind=Kind.STATUS):
            statuses = {**dict(state.statuses), what.address: what.status or ""}
            goes_on = what.address == STATION_LEVEL or what.status == "Occupied"
            return replace(
                state, statuses=tuple(sorted(statuses.items())), charging=state.charging if goes_on else None
            )
        case Report(offline=True):
            return state
        case Report():
            return replace(state, charging=None if what.phase == "Ended" else what.charging_state or state.charging)


def _words(spec: StationSpec, evse: EvseSpec, state: _State) -> frozenset[str]:
    """Return the effective status, with and without what the station says of itself, which a restart of it can drop."""
    if state.temporary is not None:
        return frozenset({state.temporary})
    said = [
        Report(int(address == STATION_LEVEL), "", spec.station, address.evse, address.connector, Kind.STATUS, status)
        for address, status in state.statuses
    ]
    own = [report for report in said if report.address != STATION_LEVEL]
    if state.charging is not None:
        event = replace(own[0] if own else _nothing(spec, evse), kind=Kind.TRANSACTION, status=None, phase="Updated")
        event = replace(event, charging_state=state.charging)
        said, own = [*said, event], [*own, event]
    return frozenset({effective(spec, evse, said), effective(spec, evse, own)})


def _nothing(spec: StationSpec, evse: EvseSpec) -> Report:
    first = evse.connectors[0]
    return Report(0, "", spec.station, first.evse, first.connector, Kind.STATUS)


def older_values(
    hub: str, journal: Sequence[Mapping[str, Any]], lines: Mapping[tuple[str, str], Timeline]
) -> list[Finding]:
    """Return every value of a hub's journal, which is that of one lane, that was not in force when it was taken."""
    words = WORDS[hub]
    found: list[Finding] = []
    for before, request in pairwise([{"received_at": 0.0, "answered_at": None}, *journal]):
        times = (before["answered_at"] or before["received_at"], request["received_at"])
        for key, value in request["records"]:
            line = lines.get((hub, key))
            possible = frozenset(words[word] for word in line.possible(*times)) if line else frozenset()
            if value not in possible:
                found.append(Finding(hub, request["n"], key, value, possible, times))
    return found
