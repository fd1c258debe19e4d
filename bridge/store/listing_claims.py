"""Compare a file's stations with those that are listed already and stay: a UUID names one, an EVSE stands at one.

Never writes. What the file says twice by itself, `listing_file` has found. Before it: `listings`. After it: the
mistakes of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bridge.listing_file import ListingInvalid
from bridge.listing_file.model import ListingError


@dataclass(frozen=True, slots=True)
class Station:
    """What a station claims for itself."""

    key: str
    reference: str
    content: str
    """JSON."""

    @property
    def evse_ids(self) -> frozenset[str]:
        """EVSEs that stand there."""
        points = json.loads(self.content).get("charge_points", ())
        return frozenset(evse_id for point in points for evse_id in point["evse_ids"])


def renamed(wanted: Iterable[Station], stored: Iterable[Station]) -> frozenset[str]:
    """Return the names of listed stations that the file has under another name, told by the UUID."""
    listed = list(wanted)
    keys, references = {station.key for station in listed}, {station.reference for station in listed}
    return frozenset(station.key for station in stored if station.key not in keys and station.reference in references)


def check_claims(wanted: Iterable[Station], kept: Iterable[Station]) -> None:
    """Refuse stations that claim what another one has.

    Args:
        wanted: The file's, with the UUIDs that they will have.
        kept: Those that are listed, are not in the file and stay.

    Raises: ListingInvalid.
    """
    listed = list(wanted)
    errors = [*_shared_references(listed), *_shared_evses(listed, _owners(kept))]
    if errors:
        raise ListingInvalid(errors)


def _owners(stations: Iterable[Station]) -> Mapping[str, Station]:
    return {evse_id: station for station in stations for evse_id in station.evse_ids}


def _shared_references(listed: Iterable[Station]) -> Iterable[ListingError]:
    owners: dict[str, str] = {}
    for station in listed:
        owner = owners.setdefault(station.reference, station.key)
        if owner != station.key:
            yield ListingError(_place(station), station.reference, f"belongs to station {owner!r} already")


def _shared_evses(listed: Iterable[Station], owners: Mapping[str, Station]) -> Iterable[ListingError]:
    for station in listed:
        for evse_id in sorted(station.evse_ids & owners.keys()):
            owner = owners[evse_id]
            wanted = (
                f"belongs to station {owner.key!r} already, which this file does not list: list that one without it, "
                f'remove it with --prune, or write id = "{owner.reference}" here if it is the same station'
            )
            yield ListingError(_place(station), evse_id, wanted)


def _place(station: Station) -> str:
    return f'chargeprice.station "{station.key}"'
