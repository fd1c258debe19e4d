"""Write what the passing of time alone has changed: the handlers that `ticker` gives to the writer.

Runs in the writer's thread. Never waits and never asks a station. Before it: `ticker`, which knows when. After it:
`derive`, in the same transaction; lanes are woken without content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.core import facts
from bridge.core.model import Moment
from bridge.core.temporary import over_before
from bridge.derive import Derived, DeriveOptions, derive
from bridge.documents import DocumentPlan, refresh
from bridge.store.changes import Changes, save
from bridge.store.connections import (
    StoredPresence,
    declare,
    note_alive,
    note_heard,
    presences,
    removed_stations,
    take_over,
)
from bridge.store.evses import all_stations, clamp_kept, due_evses, next_times, stations_of
from bridge.store.micros import from_micros, to_micros
from bridge.store.stations import EvseKey, StoredStation, load
from bridge.store.temporary import close_over, evses_with_temporaries, reopen
from bridge.store.transaction import Transaction
from bridge.store.working_copies import drop_copies
from csms.events import StationId

EVSES_A_TURN = 500
"""EVSEs that one `tick` derives: a transaction must not keep stations waiting."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """Stations that are unreachable from now on, or reachable again."""

    lost: tuple[StationId, ...]
    returned: tuple[StationId, ...]
    at: Moment


class Passing:
    """The handlers that derive; their results are what `ticker` goes on with."""

    def __init__(
        self,
        options: DeriveOptions,
        *,
        clock: Callable[[], Moment],
        woken: Callable[[Derived], None],
        documents: tuple[DocumentPlan, ...] = (),
    ) -> None:
        self._options = options
        self._documents = documents
        self._clock = clock
        self._woken = woken

    def tick(self, conn: Transaction, moments: Sequence[Moment]) -> list[tuple[int, Derived]]:
        """Derive the EVSEs that time alone has changed; return how many there were, and when the next one is due."""
        counts = []
        for at in moments:
            keys = due_evses(conn, to_micros(at.now), to_micros(at.steady), EVSES_A_TURN)
            stations = load(conn, stations_of(conn, keys)) if keys else {}
            wanted = set(keys)
            self._derive(conn, stations.values(), at, lambda station: wanted & station.evses.keys())  # noqa: B023 - called before the loop goes on
            until_now, until_steady = next_times(conn)
            counts.append(
                (len(keys), Derived(until_now=from_micros(until_now), until_steady=from_micros(until_steady)))
            )
        return counts

    def rederive(self, conn: Transaction, groups: Sequence[Sequence[StationId]]) -> list[None]:
        """Derive every EVSE of these stations anew."""
        drop_copies(conn)
        for stations in groups:
            self._derive(conn, load(conn, stations).values(), self._clock(), lambda station: station.evses)
        return [None] * len(groups)

    def follow_step(self, conn: Transaction, moments: Sequence[Moment]) -> list[None]:
        """Derive every EVSE that has temporary statuses anew: the wall clock stepped, forward or back."""
        for at in moments:
            reopen(conn, over_before(at.now))
            keys = evses_with_temporaries(conn)
            for first in range(0, len(keys), EVSES_A_TURN):
                wanted = set(keys[first : first + EVSES_A_TURN])
                stations = load(conn, stations_of(conn, wanted))
                self._derive(conn, stations.values(), at, lambda station: wanted & station.evses.keys())  # noqa: B023 - called before the loop goes on
            self._woken(Derived(accounts=refresh(conn, self._documents, at)))
        return [None] * len(moments)

    def close_temporaries(self, conn: Transaction, moments: Sequence[Moment]) -> list[int]:
        """Load temporary statuses that ended long ago no more, some at a time; return how many they were.

        What accounts mirror of those that ended goes too: it ends at the hub by itself, so nothing waits for this.
        """
        counts = []
        for at in moments:
            counts.append(close_over(conn, over_before(at.now), EVSES_A_TURN))
            self._woken(Derived(accounts=refresh(conn, self._documents, at)))
        return counts

    def declare(self, conn: Transaction, declarations: Sequence[Declaration]) -> list[None]:
        """Commit a declaration together with what it changes."""
        for declaration in declarations:
            steady = to_micros(declaration.at.steady)
            declare(conn, declaration.lost, steady)
            declare(conn, declaration.returned, None)
            stations = load(conn, [*declaration.lost, *declaration.returned])
            changes = Changes()
            for station in stations.values():
                if station.id in declaration.lost:
                    _doubt(station, changes)
            self._derive(conn, stations.values(), declaration.at, lambda station: station.evses, changes)
        return [None] * len(declarations)

    def _derive(
        self,
        conn: Transaction,
        stations: Iterable[StoredStation],
        at: Moment,
        keys_of: Callable[[StoredStation], Iterable[EvseKey]],
        changes: Changes | None = None,
    ) -> None:
        changes = changes or Changes()
        derived = Derived()
        for station in stations:
            keys = tuple(keys_of(station))
            derive(station, keys, at=at, options=self._options, changes=changes, derived=derived)
        save(conn, changes)
        self._woken(derived)


def _doubt(station: StoredStation, changes: Changes) -> None:
    for address, fact in station.facts.items():
        station.facts[address] = facts.after_loss(fact)
        changes.facts[station.id, address] = (station.facts[address], None)
    for number, charging in station.charging.items():
        station.charging[number] = facts.after_loss_charging(charging)
        changes.charging[station.id, number] = station.charging[number]


@dataclass(frozen=True, slots=True)
class Resumed:
    """What an earlier process left behind about silence."""

    alive_at: datetime | None
    presences: tuple[StoredPresence, ...]


def resume(conn: Transaction, starts: Sequence[tuple[str, int, int]]) -> list[Resumed]:
    """Take over what an earlier process of this node left behind (node, started, latest `kept_until`; steady µs)."""
    found = []
    for node, started, latest in starts:
        clamp_kept(conn, latest)
        found.append(Resumed(alive_at=from_micros(take_over(conn, node, started)), presences=tuple(presences(conn))))
    return found


def list_stations(conn: Transaction, requests: Sequence[None]) -> list[list[StationId]]:
    """Return all stations that have EVSEs."""
    return [all_stations(conn) for _ in requests]


def note(
    conn: Transaction, notes: Sequence[tuple[str, datetime, dict[StationId, datetime]]]
) -> list[frozenset[StationId]]:
    """Store that we were listening, and when stations were heard of; return those that left the inventory."""
    for node, at, heard in notes:
        note_alive(conn, node, to_micros(at))
        note_heard(conn, heard)
    return [removed_stations(conn)] * len(notes)
