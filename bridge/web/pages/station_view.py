"""Say in plain words what is wrong with a station, how it is connected and what it reported.

Pure. Before it: `stations`, with what the services say. After it: the templates of stations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from bridge.core.station_problems import StationProblem
from bridge.web.station_shapes import ReportItem, StationDetail, StationEvse

PROFILES = {
    0: "0: no proof at all",
    1: "1: password, without TLS",
    2: "2: password over TLS",
    3: "3: client certificate over TLS",
}
"""Source: OCPP 2.0.1 Part 2, A05; OCPP 1.6 security whitepaper §2."""
_CLOCK_IS_RIGHT = timedelta(minutes=2)
VERSION_NAMES = {"ocpp1.6": "OCPP 1.6", "ocpp2.0.1": "OCPP 2.0.1", "ocpp2.1": "OCPP 2.1"}


PROBLEM_WORDS = {
    StationProblem.SILENT: "connected, but it answers no requests",
    StationProblem.NEVER_CONNECTED: "has never connected",
}
"""What is said of a problem that the column of connections does not show."""


@dataclass(frozen=True, slots=True)
class Place:
    """What was reported about one place, named so that a station is not mistaken for one of its connectors."""

    title: str
    whole: bool
    """It is about the station or an EVSE as a whole, not about a connector."""
    report: ReportItem
    clock: str
    """What the station's own clock said, where it is wrong or cannot be read; empty: it is right."""


def places(reports: Sequence[ReportItem]) -> list[Place]:
    """Return reports by their place, what is about the whole station first."""
    ordered = sorted(reports, key=lambda report: (report.connector != 0, report.evse, report.connector))
    return [Place(_title(report), report.connector == 0, report, _clock(report)) for report in ordered]


def _clock(report: ReportItem) -> str:
    try:
        ahead = datetime.fromisoformat(report.reported_at) - report.received_at
    except (ValueError, TypeError):  # no time at all, or one without an offset
        return report.reported_at
    return report.reported_at if abs(ahead) > _CLOCK_IS_RIGHT else ""


def _title(report: ReportItem) -> str:
    if report.connector == 0:
        return f"EVSE {report.evse} as a whole" if report.evse else "Station as a whole"
    return f"EVSE {report.evse}, connector {report.connector}" if report.evse else f"Connector {report.connector}"


def connection_words(station: StationDetail) -> str:
    """Return how the station is connected, in one sentence."""
    if station.connection is not None:
        accepted = "" if station.connection.commandable else "; it answers no requests"
        return f"Connected by {VERSION_NAMES.get(station.connection.version, station.connection.version)}{accepted}."
    if station.unreachable_since is not None:
        return "Declared unreachable: its EVSEs are told as unknown unless they were out of service."
    if station.heard_at is None:
        return "It has never connected."
    return "Offline: its statuses stand until it is declared unreachable."


def connector_name(address: str) -> str:
    """Return what people call an address of the inventory: "0.1" is connector 1, "1.2" is EVSE 1, connector 2.

    Source: OCPP 1.6 numbers connectors alone; OCPP 2.0.1 Part 1, §3, numbers EVSEs, and connectors in each.
    """
    evse, _, connector = address.partition(".")
    return f"connector {connector}" if evse == "0" else f"EVSE {evse}, connector {connector}"


def targets(evses: Sequence[StationEvse]) -> list[tuple[str, str]]:
    """Return what an order can be about, as pairs of value and label: the station, an EVSE, a connector."""
    addresses = [
        (tuple(int(part) for part in address.split(".")), evse.evse_id) for evse in evses for address in evse.connectors
    ]
    found = [("", "the whole station")]
    for number, group in groupby(sorted(addresses), key=lambda each: each[0][0]):
        members = list(group)
        if number:
            found.append((f"{number}.", f"EVSE {number} ({members[0][1]})"))
        for (evse, connector), evse_id in members:
            address = f"{evse}.{connector}"
            found.append((address, f"{connector_name(address)} ({evse_id})"))
    return found


def connectors(evses: Sequence[StationEvse]) -> list[tuple[str, str]]:
    """Return what can be unlocked, as `targets` returns it."""
    return [(value, label) for value, label in targets(evses) if value and not value.endswith(".")]


def read_target(text: str) -> tuple[int | None, int | None]:
    """Return EVSE and connector of a value that `targets` gave; None for each that it does not name."""
    evse, _, connector = text.partition(".")
    return _number(evse), _number(connector)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) else None
