"""Read the EVSEs of a listing file as Hubject names their data: `[hubject.defaults]` and `[[hubject.evse]]`.

Before it: `parser`. Beside it: `chargeprice`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.core.identifiers import InvalidId, canonical, parse_evse_id
from bridge.core.model import EvseId
from bridge.listing_file.entries import Entry, read_entries
from bridge.listing_file.model import EvseDataListing, ListingError


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
        found[evse_id] = EvseDataListing(evse_id, {**entry.content, "EvseID": evse_id})
    return list(found.values())


def _evse_id(entry: Entry, errors: list[ListingError]) -> EvseId | None:
    if not entry.name:
        errors.append(ListingError(entry.place(("EvseID",)), "", "is missing: the EVSE's id, for example DE*ABC*E1"))
        return None
    try:
        return parse_evse_id(entry.name)
    except InvalidId as error:
        errors.append(ListingError(entry.place(("EvseID",)), entry.name, f"must be {error.wanted}"))
        return None
