"""Read the EVSEs of a listing file as Hubject names their data: `[hubject.defaults]` and `[[hubject.evse]]`.

Before it: `parser`. Beside it: `chargeprice`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.core.identifiers import InvalidId, canonical, parse_evse_id
from bridge.core.model import EvseId
from bridge.listing_file.breaches import mistakes
from bridge.listing_file.entries import Entry, read_entries
from bridge.listing_file.evse_data import EvseDataRecordType
from bridge.listing_file.model import EvseDataListing, ListingError

_WRITTEN_BY_HUBJECT = {
    "ChargingStationId": "should be written ChargingStationID, as in every example that Hubject published",
    "deltaType": "is written by Hubject; leave it out",
    "lastUpdate": "is written by Hubject; leave it out",
}


def read_evses(table: Mapping[str, Any], errors: list[ListingError], warnings: list[str]) -> list[EvseDataListing]:
    """Return the EVSEs of the section `hubject`; what is wrong is appended to `errors`, what is odd to `warnings`."""
    found: dict[EvseId, EvseDataListing] = {}
    spelled: dict[str, EvseId] = {}
    for entry in read_entries("hubject", "evse", "EvseID", table, errors):
        evse_id = _evse_id(entry, errors)
        if evse_id is None:
            continue
        if evse_id in found:
            errors.append(ListingError(entry.place(), "", "is listed twice"))
            continue
        other = spelled.setdefault(canonical(evse_id), evse_id)
        if other != evse_id:
            warnings.append(
                f"{evse_id} and {other} are the same without separators; a hub that names ids without them cannot "
                "tell them apart"
            )
        errors += [*mistakes(entry, EvseDataRecordType, _WRITTEN_BY_HUBJECT), *_opening_mistakes(entry)]
        warnings += _oddities(entry)
        found[evse_id] = EvseDataListing(evse_id, {**entry.content, "EvseID": evse_id})
    return list(found.values())


def _opening_mistakes(entry: Entry) -> list[ListingError]:
    """Source: EvseDataRecordType: opening times "in case that [it] cannot be accessed around the clock"."""
    if entry.content.get("IsOpen24Hours") is not False or "OpeningTimes" in entry.content:
        return []
    wanted = "is missing: needed where IsOpen24Hours is false"
    return [ListingError(entry.place(("OpeningTimes",)), "", wanted)]


def _oddities(entry: Entry) -> Iterator[str]:
    content = entry.content
    if content.get("IsOpen24Hours") is True and "OpeningTimes" in content:
        yield f"{entry.place(('OpeningTimes',))}: stands beside IsOpen24Hours = true"
    if content.get("IsHubjectCompatible") is False:
        yield f"{entry.place(('IsHubjectCompatible',))}: false: Hubject refuses such an EVSE's statuses (604)"
    if content.get("DynamicInfoAvailable") == "false":
        yield f"{entry.place(('DynamicInfoAvailable',))}: false: drivers are told that there is no live status"


def _evse_id(entry: Entry, errors: list[ListingError]) -> EvseId | None:
    if not entry.name:
        errors.append(ListingError(entry.place(("EvseID",)), "", "is missing: the EVSE's id, for example DE*ABC*E1"))
        return None
    try:
        return parse_evse_id(entry.name)
    except InvalidId as error:
        errors.append(ListingError(entry.place(("EvseID",)), entry.name, f"must be {error.wanted}"))
        return None
