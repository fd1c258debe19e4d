"""Do what follows from an order once it is committed: wake lanes, close sessions.

Never fails an order that is committed: what goes wrong here is logged, and the rest is still done. Before it:
`services`, `quarantine_services`. After it: `wakes`, and the OCPP side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

import structlog

from bridge.app.wakes import Wakes
from bridge.edits import Imported
from csms.events import StationId

log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """What is needed of the OCPP side."""

    def disconnect(self, station: StationId) -> None:
        """Close the station's session, if there is one."""
        ...

    def dismiss_guests(self, stations: Iterable[StationId]) -> None:
        """Close the sessions of these stations where they are in quarantine."""
        ...


class Follow:
    """What follows from orders in this process. `central` is None where no station is listened to."""

    def __init__(self, wakes: Wakes, central: Sessions | None) -> None:
        self._wakes = wakes
        self._central = central

    def imported(self, imported: Imported) -> None:
        """Wake the lanes, and close the sessions of stations that left or have another key: what admitted them is gone.

        So are those of stations that came and are in quarantine. The import is committed. Whatever fails here must not
        look as if it were not, and the rest is still told.
        """
        orders: list[Callable[[], None]] = [
            partial(self._wakes.derived, imported.derived),
            partial(self._wakes.everything, "the inventory was edited"),
        ]
        if self._central is not None:
            diff = imported.result.diff
            gone = (*diff.stations_removed, *imported.result.credentials_changed)
            orders += [partial(self._central.disconnect, station) for station in gone]
            orders.append(partial(self._central.dismiss_guests, diff.stations_added))
        for order in orders:
            try:
                order()
            except Exception:
                log.exception("import_follow_up_failed")

    def forgotten(self, station: StationId) -> None:
        """Close the session of a station that was in quarantine."""
        if self._central is not None:
            self._central.dismiss_guests([station])
