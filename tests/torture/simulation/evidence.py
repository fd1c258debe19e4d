"""Keep what is known about a run from outside: what is stored, what stations were told, what hubs were sent.

Reads the database with SQLite's own client, and shares no rule with the product. Before it: `world`, which says when.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.web.temporary_shapes import TemporaryItem
from simulators.hubs.exchange import Judgement
from tests.torture.simulation.dishonest_clocks import mark
from tests.torture.simulation.hubs import SimulatedHub
from tests.torture.simulation.oracle import WORDS, Course, differences, effective
from tests.torture.simulation.stations import Reported, Station


class Evidence:
    """What is known, and in `wrong` what must not have been."""

    def __init__(
        self,
        folder: Path,
        time_s: Callable[[], float],
        slack_s: float,
        tally: Counter[str],
        note: Callable[[str], None],
    ) -> None:
        """`time_s` is virtual; `slack_s`: how long before a request its value may have been replaced."""
        self._folder = folder
        self._time_s = time_s
        self._slack_s = slack_s
        self._tally = tally
        self._note = note
        self._history_id = 0
        self._reader: sqlite3.Connection | None = None
        self.stations: dict[str, Station] = {}
        self.evses: dict[int, str] = {}
        """Its number in the database → EvseID."""
        self.points: dict[str, str] = {}
        """Chargeprice's name of an EVSE, station/point → EvseID."""
        self.courses: dict[str, Course] = {}
        self.lives: dict[str, str] = {}
        """What each EVSE is by its station, by its newest row of the history."""
        self._orders: dict[int, tuple[str, datetime, datetime | None]] = {}
        self._doubted: set[int] = set()
        self._removed: set[int] = set()
        self.wrong: list[str] = []

    def rows(self, statement: str, *arguments: Any) -> list[Any]:
        """Return rows of the database."""
        if self._reader is None:
            self._reader = sqlite3.connect(self._folder / "bridge.db")
        return self._reader.execute(statement, arguments).fetchall()

    def close(self) -> None:
        """Let the database go."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def learn_evses(self) -> None:
        """Take in the inventory."""
        self.evses = dict(self.rows("SELECT id, evse_id FROM evse"))
        for evse_id in self.evses.values():
            self.courses.setdefault(evse_id, Course())

    def follow_history(self) -> None:
        """Take in what EVSEs have become with the last commit."""
        if not self.courses:
            return
        at = self._time_s()
        for number, evse, status, live in self.rows(
            "SELECT id, evse, status, live FROM history WHERE id > ?", self._history_id
        ):
            self._history_id = number
            self.courses[self.evses[evse]].states.append((at, status))
            self.lives[self.evses[evse]] = live
            self._tally["changes"] += 1

    def open_calls(self) -> int:
        """Return how many statuses are under way: reported and not answered."""
        newest = (station.journal[-1] for station in self.stations.values() if station.journal)
        return sum(not report.answered for report in newest)

    def note_lost(self) -> None:
        """Note where a status that a station was told we have is not stored, nor a later one."""
        facts = self.rows("SELECT station, ocpp_evse, ocpp_connector, info, reported_at FROM fact")
        stored = {(station, (evse, connector)): mark(info or said) for station, evse, connector, info, said in facts}
        for name, address, answered in self._answered():
            self._tally["compared"] += 1
            found = stored.get((name, address), "")
            if found < mark(answered.stamp):
                self._tally["statuses_lost"] += 1
                self.wrong.append(f"{name} {address}: told that {answered.stamp} is stored, found {found or 'nothing'}")
        self._note_lost_orders()

    # --- operators' orders --------------------------------------------------------------------------------------------

    def note_orders(self, items: Iterable[TemporaryItem]) -> None:
        """Note temporary statuses as an operator was told that they are stored."""
        for item in items:
            self._orders[item.id] = (item.status.value, item.valid_from, item.valid_to)
            self._doubted.discard(item.id)
            self._tally["orders"] += 1

    def doubt_orders(self, numbers: Iterable[int]) -> None:
        """Note that these are being changed or deleted, which is true only once it is answered."""
        self._doubted.update(numbers)

    def note_removed(self, numbers: Iterable[int]) -> None:
        """Note temporary statuses as an operator was told that they are deleted."""
        self._removed.update(numbers)
        self._tally["orders"] += 1

    def _note_lost_orders(self) -> None:
        """Note where an order that was answered is not stored as it was answered."""
        rows = self.rows("SELECT id, kind, valid_from_w, valid_to_w, removed_at_w FROM temporary_status")
        stored = {number: (kind, begins, ends, removed) for number, kind, begins, ends, removed in rows}
        for number, (kind, begins, ends) in self._orders.items():
            found = stored.get(number)
            if found is None or (number in self._removed and found[3] is None):
                self._note_lost_order(f"order {number} was answered, and is gone")
            elif number not in self._doubted and found != (kind, _micros(begins), _micros(ends), None):
                self._note_lost_order(f"order {number} was answered as {kind} from {begins} to {ends}, found {found}")

    def _note_lost_order(self, what: str) -> None:
        self._tally["orders_lost"] += 1
        self.wrong.append(what)

    # --- hubs ---------------------------------------------------------------------------------------------------------

    def note_request(self, hub: str, judgement: Judgement) -> None:
        """Note a request, and where it carries what no EVSE is any more."""
        self._tally["requests"] += 1
        if judgement.action == "delete":
            return
        for key, value in judgement.records:
            evse_id = self.points.get(key, key)
            course = self.courses.get(evse_id)
            if course is None:
                continue
            problem = course.sent(hub, value, self._time_s(), self._slack_s)
            if problem is not None:
                self._tally["older_values"] += 1
                self._note(problem)
                self.wrong.append(f"{evse_id}: {problem}")

    def temporaries(self, now: datetime) -> dict[str, set[str]]:
        """Return the kinds in force on each EVSE, by the rows."""
        micros = _micros(now)
        found: dict[str, set[str]] = defaultdict(set)
        for evse, kind in self.rows(
            "SELECT evse, kind FROM temporary_status WHERE removed_at_w IS NULL AND valid_from_w <= ?"
            " AND (valid_to_w IS NULL OR valid_to_w > ?)",
            micros,
            micros,
        ):
            found[self.evses[evse]].add(kind.lower())
        return found

    def next_temporary(self, now: datetime) -> datetime | None:
        """Return the wall time at which the next one begins or ends."""
        micros = _micros(now)
        ((due,),) = self.rows(
            "SELECT min(moment) FROM (SELECT valid_from_w AS moment FROM temporary_status WHERE removed_at_w IS NULL"
            " UNION ALL SELECT valid_to_w FROM temporary_status WHERE removed_at_w IS NULL) WHERE moment > ?",
            micros,
        )
        return None if due is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=due)

    def shown(self) -> dict[str, tuple[str, str]]:
        """Return what each EVSE is now, and what it is by its station alone."""
        return {
            evse_id: (course.states[-1][1], self.lives.get(evse_id, "unknown"))
            for evse_id, course in self.courses.items()
        }

    def expected(self, now: datetime) -> dict[str, str]:
        """Return what each EVSE is, by what its station was told we have."""
        words: dict[str, list[str]] = defaultdict(list)
        for name, address, answered in self._answered():
            words[evse_of(name, address)].append(answered.status)
        temporary = self.temporaries(now)
        return {evse_id: effective(words[evse_id], temporary[evse_id]) for evse_id in self.courses}

    def disagreements(self, hubs: Mapping[str, SimulatedHub], now: datetime) -> list[str]:
        """Return one line for each EVSE about which a hub is wrong, or we are."""
        names = {"chargeprice": {evse_id: point for point, evse_id in self.points.items()}}
        expected = self.expected(now)
        found = []
        for name, hub in hubs.items():
            known = names.get(name, {})
            wanted = {known.get(evse_id, evse_id): WORDS[name][status] for evse_id, status in expected.items()}
            found += [f"{name} {line}" for line in differences(wanted, hub.state())]
        return [*found, *self._untold()]

    def _untold(self) -> Iterator[str]:
        """Yield where a station that answers questions is not what it was last heard to be."""
        told = {(name, address): answered.status for name, address, answered in self._answered()}
        for name, station in self.stations.items():
            for address, status in station.actual.items():
                if not station.habits.refuses and told.get((name, address)) != status:
                    yield f"{name} {address}: is {status}, the bridge was told {told.get((name, address))}"

    def _answered(self) -> Iterator[tuple[str, tuple[int, int], Reported]]:
        """Yield the newest report of each connector that its station was told we have."""
        for name, station in self.stations.items():
            for address in station.actual:
                answered = [report for report in station.journal if report.answered and report.address == address]
                if answered:
                    yield name, address, answered[-1]


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def evse_of(station: str, address: tuple[int, int]) -> str:
    """Return the EvseID that a connector belongs to: its own in 1.6, that of its EVSE in 2.x."""
    return f"DE*ABC*E{station.upper()}*{address[0] or address[1]}"
