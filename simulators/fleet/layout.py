"""Lay out a fleet from a seed: which stations there are, their keys, EVSEs and connectors, and the inventory CSV.

Pure: the same arguments always give the same fleet, so that every process of a run can compute it for itself.
After it: `behaviour` (what happens at these connectors) and the product's inventory import (`inventory_csv`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import random
import uuid
from base64 import b32encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Version(StrEnum):
    """An OCPP version that the fleet speaks; the value is what the inventory CSV says."""

    V16 = "1.6"
    V201 = "2.0.1"
    V21 = "2.1"

    @property
    def has_evses(self) -> bool:
        """Say whether the version knows EVSEs between station and connector: all since 2.0.1 do."""
        return self is not Version.V16


class ReportsBy(StrEnum):
    """How a 2.x station reports its status. Source: OCPP 2.0.1 Part 2 (edition 3) G01; OCPP 2.1 Part 2 G01."""

    STATUS_NOTIFICATION = "StatusNotification"
    NOTIFY_EVENT = "NotifyEvent"


class Address(NamedTuple):
    """A connector as OCPP names it: 1.6 connectorId n is (0, n); 2.x is (evse, connector); (0, 0) is the station."""

    evse: int
    connector: int


STATION_LEVEL = Address(0, 0)


@dataclass(frozen=True, slots=True)
class EvseSpec:
    """One EVSE: its id on the roaming hubs and the connectors that it consists of."""

    evse_id: str
    connectors: tuple[Address, ...]
    chargeprice_station: str
    chargeprice_point: str

    @property
    def chargeprice_key(self) -> str:
        """Return "station/point", as the Chargeprice simulator's state names it."""
        return f"{self.chargeprice_station}/{self.chargeprice_point}"


@dataclass(frozen=True, slots=True)
class StationSpec:
    """One charging station: identity, secret, version, EVSEs."""

    station: str
    version: Version
    key: str = field(repr=False)
    evses: tuple[EvseSpec, ...]
    reports_by: ReportsBy = ReportsBy.STATUS_NOTIFICATION
    security: int = 1
    """Security profile 0 to 3. Source: OCPP 2.0.1 Part 2, A00; OCPP 1.6 Security Whitepaper §2."""
    quirks: frozenset[str] = frozenset()
    """What it does wrong, by the names of `quirks`."""
    serial: str = ""
    """Serial number that it boots with, where that is not its id."""
    names_no_version: bool = False
    """It offers no subprotocol: the inventory must say which version it speaks."""

    @property
    def connectors(self) -> tuple[Address, ...]:
        """Return every connector, in the order of the EVSEs."""
        return tuple(connector for evse in self.evses for connector in evse.connectors)

    @property
    def reported(self) -> tuple[Address, ...]:
        """Return every address whose status the station reports: its connectors, and the station where it does.

        Source: OCPP 1.6 §4.9 (connectorId 0); OCPP 2.x has a station-level AvailabilityState for NotifyEvent only.
        """
        has_station_level = self.version is Version.V16 or self.reports_by is ReportsBy.NOTIFY_EVENT
        return ((STATION_LEVEL,) if has_station_level else ()) + self.connectors

    def siblings(self, address: Address) -> tuple[Address, ...]:
        """Return the other connectors of the EVSE that `address` belongs to."""
        (evse,) = (evse for evse in self.evses if address in evse.connectors)
        return tuple(connector for connector in evse.connectors if connector != address)


_Shape = tuple[Version, tuple[int, ...], ReportsBy]

_SHAPES: tuple[_Shape, ...] = (
    (Version.V16, (1,), ReportsBy.STATUS_NOTIFICATION),
    (Version.V201, (1,), ReportsBy.STATUS_NOTIFICATION),
    (Version.V16, (2,), ReportsBy.STATUS_NOTIFICATION),
    (Version.V201, (2,), ReportsBy.STATUS_NOTIFICATION),
    (Version.V16, (1, 1), ReportsBy.STATUS_NOTIFICATION),
    (Version.V201, (1, 1), ReportsBy.NOTIFY_EVENT),
    (Version.V201, (1, 1, 1), ReportsBy.STATUS_NOTIFICATION),
    (Version.V201, (1,), ReportsBy.NOTIFY_EVENT),
    (Version.V21, (1,), ReportsBy.NOTIFY_EVENT),
    (Version.V21, (2,), ReportsBy.NOTIFY_EVENT),
    (Version.V21, (1, 1), ReportsBy.NOTIFY_EVENT),
    (Version.V21, (1,), ReportsBy.STATUS_NOTIFICATION),
)
"""Version, connectors of each EVSE, and how it reports; as many stations in a row show every shape once."""

DEFAULT_VERSIONS = (Version.V16, Version.V201)

_COLUMNS = (
    "station",
    "version",
    "key",
    "security",
    "evse",
    "connector",
    "evse_id",
    "operator",
    "chargeprice_station",
    "chargeprice_point",
)

KEYED = frozenset({1, 2})
"""Security profiles with a key; in 0 nothing is proved, and in 3 a client certificate proves it."""


def layout(stations: int, seed: int, versions: Collection[Version] = DEFAULT_VERSIONS) -> tuple[StationSpec, ...]:
    """Return a fleet of `stations` charging stations of these versions, all of security profile 1.

    A smaller fleet of the same seed and versions is the beginning of a larger.
    """
    rng = random.Random(f"layout:{seed}")
    shapes = [shape for shape in _SHAPES if shape[0] in versions]
    return tuple(
        _station(number, shape, seed, rng)
        for number, shape in zip(range(1, stations + 1), _shapes(shapes, rng), strict=False)
    )


def inventory_csv(specs: Iterable[StationSpec], operator: str = "demo") -> str:
    """Return the inventory of the fleet: one line per connector, LF line ends, header first.

    For OCPP 1.6 the column evse is empty and connector is the connectorId. Where a security profile has no key, the
    column key is empty. There is a column default_version where a station names no version itself.
    """
    specs = tuple(specs)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    has_default = any(spec.names_no_version for spec in specs)
    writer.writerow((*_COLUMNS, "default_version") if has_default else _COLUMNS)
    for spec in specs:
        default = (spec.version.value if spec.names_no_version else "",) if has_default else ()
        writer.writerows((*row, *default) for row in _rows(spec, operator))
    return text.getvalue()


def _rows(spec: StationSpec, operator: str) -> Iterator[tuple[str, ...]]:
    for evse in spec.evses:
        for address in evse.connectors:
            yield (
                spec.station,
                spec.version.value,
                spec.key if spec.security in KEYED else "",
                str(spec.security) if spec.security else "insecure",
                str(address.evse) if spec.version.has_evses else "",
                str(address.connector),
                evse.evse_id,
                operator,
                evse.chargeprice_station,
                evse.chargeprice_point,
            )


def _shapes(shapes: Sequence[_Shape], rng: random.Random) -> Iterator[_Shape]:
    while True:
        yield from rng.sample(shapes, len(shapes))


def _station(number: int, shape: _Shape, seed: int, rng: random.Random) -> StationSpec:
    version, sockets, reports_by = shape
    station = f"SIM-{number:05d}"
    chargeprice_station = _uuid(rng)
    evses = tuple(
        EvseSpec(
            evse_id=f"DE*ABC*E{number:05d}*{index}",
            connectors=connectors,
            chargeprice_station=chargeprice_station,
            chargeprice_point=_uuid(rng),
        )
        for index, connectors in enumerate(_connectors(version, sockets), start=1)
    )
    return StationSpec(station, version, _key(seed, station), evses, reports_by)


def _connectors(version: Version, sockets: tuple[int, ...]) -> Iterator[tuple[Address, ...]]:
    first = 1
    for evse, count in enumerate(sockets, start=1):
        match version:
            case Version.V16:
                yield tuple(Address(0, connector) for connector in range(first, first + count))
            case Version.V201 | Version.V21:
                yield tuple(Address(evse, connector) for connector in range(1, count + 1))
        first += count


def _key(seed: int, station: str) -> str:
    """Return 24 printable characters; base32, so that nobody mistakes it for the hex form of a binary key."""
    return b32encode(hashlib.sha256(f"key:{seed}:{station}".encode()).digest()[:15]).decode()


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
