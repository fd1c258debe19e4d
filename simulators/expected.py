"""Work out what every hub must hold, from what the stations said and had answered: the oracle of demo and tests.

Never imports the product and never asks it. The tables are literals of the standards (tests/vectors/mapping.json holds
the same ones); the rules are those that a charge point operator would give. Covers stations that are reachable and have
no temporary status set. Before it: `fleet.journal`. After it: `fleet.control` and `demo.agreement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from simulators.fleet.journal import Kind, Report
from simulators.fleet.layout import STATION_LEVEL, Address, EvseSpec, StationSpec, Version

REPORTED_16: Mapping[str, str] = {
    "Available": "available",
    "Preparing": "occupied",
    "Charging": "charging",
    "SuspendedEVSE": "occupied",
    "SuspendedEV": "occupied",
    "Finishing": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
"""Source: OCPP 1.6 §7.7 ChargePointStatus."""

REPORTED_2X: Mapping[str, str] = {
    "Available": "available",
    "Occupied": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
"""Source: OCPP 2.0.1 Part 2, ConnectorStatusEnumType; the same words in OCPP 2.1 Part 2."""

HUBJECT: Mapping[str, str] = {
    "available": "Available",
    "occupied": "Occupied",
    "charging": "Occupied",
    "reserved": "Reserved",
    "unavailable": "OutOfService",
    "faulted": "OutOfService",
    "unknown": "Unknown",
}
"""Source: OICP 2.3 CPO, EvseStatusType; the Hubject guide's table "OCPP to OICP Mapping"."""

CHARGEPRICE: Mapping[str, str] = {
    "available": "available",
    "occupied": "occupied",
    "charging": "occupied",
    "reserved": "reserved",
    "unavailable": "maintainance",
    "faulted": "maintainance",
    "unknown": "unknown",
}
"""Source: Chargeprice API, status of a charge point; `maintainance` is its own spelling."""

RANK = ("charging", "occupied", "reserved", "available", "unavailable", "faulted", "unknown")
"""Of several connectors that form an EVSE, the first of these words that one of them has is the EVSE's."""

_LIFTING = frozenset({"Charging", "EVConnected", "SuspendedEV", "SuspendedEVSE"})
"""chargingState with a car at the connector; Idle says nothing. Source: OCPP 2.0.1 Part 2, ChargingStateEnumType."""

_CAR_GONE = frozenset({"Available", "Reserved", "Unavailable", "Faulted"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What one EVSE's status is, and the word that each hub must hold for it."""

    evse_id: str
    chargeprice_key: str
    effective: str
    hubject: str
    chargeprice: str


def expected(spec: StationSpec, reports: Iterable[Report]) -> tuple[Expected, ...]:
    """Return what is expected of every EVSE of a station, from its reports in the order of sending.

    Only answered reports count: what was not answered, nobody promised to know.
    """
    answered = [report for report in reports if report.answered and report.station == spec.station]
    return tuple(_expected(evse, effective(spec, evse, answered)) for evse in spec.evses)


def effective(spec: StationSpec, evse: EvseSpec, answered: Sequence[Report]) -> str:
    """Return the effective status word of one EVSE from the answered reports of its station."""
    words = [_connector_word(spec.version, address, answered) for address in evse.connectors]
    word = min(words, key=RANK.index)
    if spec.version.has_evses:
        word = _lifted(word, _charging_state(evse, answered))
    return _downgraded(word, evse, answered)


def _expected(evse: EvseSpec, word: str) -> Expected:
    return Expected(evse.evse_id, evse.chargeprice_key, word, HUBJECT[word], CHARGEPRICE[word])


def _connector_word(version: Version, address: Address, answered: Sequence[Report]) -> str:
    last = _last_status(address, answered)
    if last is None or last.status is None:
        return "unknown"
    match version:
        case Version.V16:
            return REPORTED_16[last.status]
        case Version.V201 | Version.V21:
            return REPORTED_2X[last.status]


def _last_status(address: Address, answered: Sequence[Report]) -> Report | None:
    statuses = (report for report in reversed(answered) if report.kind is Kind.STATUS and report.address == address)
    return next(statuses, None)


def _charging_state(evse: EvseSpec, answered: Sequence[Report]) -> str | None:
    """Return the chargingState that still counts: of the latest live event, unless ended or the car is gone since.

    Source: OCPP 2.0.1 Part 2, G01 and E02; events that were sent late (offline) tell history.
    """
    state: str | None = None
    for report in answered:
        if report.address not in evse.connectors:
            continue
        match report.kind:
            case Kind.STATUS:
                state = state if report.status == "Occupied" else None
            case Kind.TRANSACTION:
                state = _after_event(state, report)
    return state


def _after_event(state: str | None, event: Report) -> str | None:
    if event.offline:
        return state
    return None if event.phase == "Ended" else event.charging_state or state


def _lifted(word: str, state: str | None) -> str:
    if state == "Charging" and word in ("available", "occupied"):
        return "charging"
    if state in _LIFTING and word == "available":
        return "occupied"
    return word


def _downgraded(word: str, evse: EvseSpec, answered: Sequence[Report]) -> str:
    """Apply what the station says of itself: Unavailable or Faulted there promises nothing better of its EVSEs.

    A car that began to charge after the station said so, and is still there, proves the contrary.
    """
    station = _last_status(STATION_LEVEL, answered)
    if station is None or station.status not in ("Unavailable", "Faulted") or word in ("unavailable", "faulted"):
        return word
    if any(_charging_since(address, answered) > station.n for address in evse.connectors):
        return word
    return station.status.lower()


def _charging_since(address: Address, answered: Sequence[Report]) -> int:
    """Return the number of the report by which the car that stands there began to charge; 0 where none does."""
    since = 0
    for report in answered:
        if report.address != address:
            continue
        if report.status in _CAR_GONE:
            since = 0
        elif since == 0 and "Charging" in (report.status, report.charging_state) and not report.offline:
            since = report.n
    return since
