"""Keep the writer's working copies of stations from one transaction to the next.

They belong to one database connection, the writer's: nobody else writes, so what its transactions left is what is
stored. A lane's writes are taken in: it settles rows all day. A rollback, and any other write past `changes.save`,
drops what it may have touched; then the next load reads it again. That is for speed alone: with no copy kept at all,
everything works the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from bridge.core.model import AccountName, Delivery
    from bridge.store.stations import EvseKey, StoredStation
    from csms.events import StationId

_MOST = 16_384
"""Stations kept; a few KiB each."""
_KEY = "working copies"


class WorkingCopies:
    """The copies of one connection; the least recently used ones go first."""

    def __init__(self) -> None:
        self.last_change: int | None = None
        """Highest number in the history; None: to be read."""
        self._stations: dict[StationId, StoredStation] = {}
        self._owners: dict[EvseKey, StationId] = {}

    def get(self, station: StationId) -> StoredStation | None:
        """Return the copy, and count it as used."""
        copy = self._stations.pop(station, None)
        if copy is not None:
            self._stations[station] = copy
        return copy

    def kept(self) -> dict[StationId, StoredStation]:
        """Return all copies, for tests that compare them with what is stored."""
        return dict(self._stations)

    def keep(self, copies: Iterable[StoredStation]) -> None:
        """Take in what was just read."""
        for copy in copies:
            self._stations[copy.id] = copy
            for key in copy.evses:
                self._owners[key] = copy.id
        while len(self._stations) > _MOST:
            self.drop(next(iter(self._stations)))

    def opened(self, station: StationId, epoch: int) -> None:
        """Take in that the station has a new connection, which was written past its copy."""
        copy = self._stations.get(station)
        if copy is not None:
            copy.epoch = epoch

    def keep_delivery(self, account: AccountName, key: EvseKey, row: Delivery | None) -> None:
        """Take in what a lane writes of a delivery that it read in the same transaction; None: it is removed."""
        owner = self._owners.get(key)
        if owner is None:
            return
        rows = self._stations[owner].evses[key].deliveries
        if row is None:
            rows.pop(account, None)
        else:
            rows[account] = row

    def drop(self, station: StationId) -> None:
        """Forget a station: something about it was written past its copy."""
        copy = self._stations.pop(station, None)
        if copy is not None:
            for key in copy.evses:
                self._owners.pop(key, None)

    def drop_evses(self, keys: Iterable[EvseKey]) -> None:
        """Forget the stations of these EVSEs."""
        for key in keys:
            if (owner := self._owners.get(key)) is not None:
                self.drop(owner)


def copies_of(connection: sa.Connection) -> WorkingCopies:
    """Return the copies that belong to this database connection."""
    copies: WorkingCopies = connection.info.setdefault(_KEY, WorkingCopies())
    return copies


def drop_copies(connection: sa.Connection) -> None:
    """Forget everything: a rollback, or a write that may concern any station.

    What a lost connection had goes with it.
    """
    if not connection.invalidated:
        connection.info.pop(_KEY, None)
