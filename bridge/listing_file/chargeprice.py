"""Read the stations of a listing file: `[chargeprice.defaults]` and `[[chargeprice.station]]`.

Chargeprice groups a station's charge points by plug and power. The file lists EVSEs; the groups are made here, in one
order whatever the file's is, so that only what changed is sent. Before it: `parser`. Beside it: `hubject`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.listing_file.breaches import mistakes
from bridge.listing_file.entries import Entry, read_entries
from bridge.listing_file.model import ListingError, StationListing
from bridge.listing_file.station_data import StationTable

_NOT_IN_THE_FILE = {
    "version": "is kept by the bridge; leave it out",
    "operator": "is the company of the account; leave it out",
    "charge_points": "are made from evses; list those",
}


def read_stations(table: Mapping[str, Any], errors: list[ListingError]) -> list[StationListing]:
    """Return the stations of the section `chargeprice`; what is wrong with them is appended to `errors`."""
    found: dict[str, StationListing] = {}
    owners: dict[str, str] = {}
    for entry in read_entries("chargeprice", "station", "name", table, errors):
        wrong = mistakes(entry, StationTable, _NOT_IN_THE_FILE)
        if not wrong:
            station = StationTable.model_validate(entry.content)
            wrong = [*_own_mistakes(entry, station), *_claims(entry, station, owners)]
            if station.name in found:
                wrong.append(ListingError(entry.place(), "", "is listed twice"))
            found.setdefault(station.name, StationListing(station.name, station.id or "", content_of(station)))
        errors += wrong
    return list(found.values())


def _own_mistakes(entry: Entry, station: StationTable) -> list[ListingError]:
    wrong = []
    if station.replaces is not None and station.replaces == station.id:
        wrong.append(ListingError(entry.place(("replaces",)), station.replaces, "is this station itself"))
    seen: set[tuple[str, str, float]] = set()
    for index, evse in enumerate(station.evses):
        for plug in evse.all_plugs:
            row = (evse.evse_id, plug.plug, plug.power)
            if row in seen:
                wanted = f"has {plug.plug} with {plug.power:g} kW twice; use count"
                wrong.append(ListingError(entry.place(("evses", index)), evse.evse_id, wanted))
            seen.add(row)
    return wrong


def _claims(entry: Entry, station: StationTable, owners: dict[str, str]) -> list[ListingError]:
    """An EVSE stands at one station, and a UUID names one."""
    wrong = []
    for name in sorted({evse.evse_id for evse in station.evses} | ({station.id} if station.id else set())):
        owner = owners.setdefault(name, station.name)
        if owner != station.name:
            wrong.append(ListingError(entry.place(), name, f"belongs to station {owner!r} already"))
    return wrong


def content_of(station: StationTable) -> dict[str, Any]:
    """Return the station as it is stored: Chargeprice's attributes, and what it replaces where that was ordered."""
    fields = ("name", "latitude", "longitude", "country", "address", "status", "free_parking", "free_charging")
    content = {name: getattr(station, name) for name in fields}
    content |= {name: float(content[name]) for name in ("latitude", "longitude")}
    content["charge_points"] = charge_points(station)
    if station.replaces is not None:
        content["replaces"] = station.replaces
    return content


def charge_points(station: StationTable) -> list[dict[str, Any]]:
    """Return the EVSEs grouped by plug and power. Source: Chargeprice API, charge_points of a charging station."""
    groups: dict[tuple[str, float], tuple[int, set[str]]] = {}
    for evse in station.evses:
        for plug in evse.all_plugs:
            count, ids = groups.get((plug.plug, plug.power), (0, set()))
            groups[plug.plug, plug.power] = (count + plug.count, ids | {evse.evse_id})
    return [
        {"plug": plug, "power": float(power), "count": count, "evse_ids": sorted(ids)}
        for (plug, power), (count, ids) in sorted(groups.items())
    ]
