"""Answer which quirk profiles there are, and which apply to a station. Implements `bridge.web.quirk_services`.

Decides nothing and writes nothing. Before it: `web`, or the command line. After it: `csms.quirks`, the store's record
of the station, and its connection where there is one.
"""

from __future__ import annotations

from typing import Protocol

from bridge.store.engine import Store
from bridge.store.errors import StoreError
from bridge.store.station_records import find_station
from bridge.web.quirk_shapes import QuirkItem, QuirkList, StationQuirks
from bridge.web.services import NotFound, Unavailable
from csms.events import StationId
from csms.quirk_profiles import PROFILES, QuirkProfile
from csms.quirk_settings import changes
from csms.quirks import Quirks, quirks_of_record


class Connections(Protocol):
    """What is needed of the OCPP side: `csms.server.CentralSystem`."""

    def quirks_of(self, station: StationId) -> Quirks | None:
        """Return what applies to a station's connection; None where it is away."""
        ...


class StoreQuirks:
    """The quirk profiles of this process's stations. `central` is None where no station is listened to."""

    def __init__(self, store: Store, central: Connections | None) -> None:
        self._store = store
        self._central = central

    async def of_station(self, station: str) -> StationQuirks:
        """Return the profiles that apply to a station, and why. Raises: NotFound, Unavailable."""
        try:
            async with self._store.read() as connection:
                record = await connection.run_sync(find_station, station.casefold())
        except StoreError as error:
            raise Unavailable(str(error)) from error
        if record is None:
            raise NotFound("station", station)
        live = None if self._central is None else self._central.quirks_of(record.station)
        items = quirk_items(live or quirks_of_record(record))
        return StationQuirks(items=items, station=record.station, connected=live is not None)


def profiles_shown() -> QuirkList:
    """Return every profile, ordered by name."""
    return QuirkList(items=tuple(_item(each) for each in sorted(PROFILES, key=lambda profile: profile.name)))


def quirk_items(quirks: Quirks) -> tuple[QuirkItem, ...]:
    """Return the profiles that apply to a station, each with the reason."""
    return tuple(_item(applied.profile, applied.why) for applied in quirks.applied)


def _item(profile: QuirkProfile, why: str = "") -> QuirkItem:
    return QuirkItem(
        name=profile.name,
        automatic=profile.automatic,
        vendor=profile.vendor,
        model=profile.model,
        firmware=profile.firmware,
        symptom=profile.symptom,
        changes=tuple(changes(profile.settings)),
        evidence=profile.evidence,
        why=why,
    )
