"""Keep what is known about a run from outside: what is stored, what stations were told, what hubs were sent.

Reads the database with SQLite's own client, and shares no rule with the product. Before it: `world`, which says when.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from simulators.hubs.exchange import Judgement
from tests.torture.simulation.hubs import SimulatedHub
from tests.torture.simulation.operators import evse_of, told
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
        self.farewells: set[tuple[str, str]] = set()
        """What Chargeprice, which cannot forget a point, may hold of EVSEs that are gone."""
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

    def forget(self, station: str) -> None:
        """Expect nothing more of a station and its EVSEs, which an operator takes out of the inventory."""
        for address in self.stations.pop(station).habits.connectors:
            self.courses.pop(evse_of(station, address), None)
        self.farewells |= {(point, "unknown") for point in self.points if point.startswith(f"{station}/")}

    def follow_history(self) -> None:
        """Take in what EVSEs have become with the last commit."""
        if not self.courses:
            return
        at = self._time_s()
        for number, evse, status in self.rows("SELECT id, evse, status FROM history WHERE id > ?", self._history_id):
            self._history_id = number
            if (course := self.courses.get(self.evses[evse])) is not None:
                course.states.append((at, status))
            self._tally["changes"] += 1

    def open_calls(self) -> int:
        """Return how many statuses are under way: reported and not answered."""
        newest = (station.journal[-1] for station in self.stations.values() if station.journal)
        return sum(not report.answered for report in newest)

    def note_lost(self) -> None:
        """Note where a status that a station was told we have is not stored, nor a later one."""
        facts = self.rows("SELECT station, ocpp_evse, ocpp_connector, reported_at FROM fact")
        stored = {(station, (evse, connector)): stamp for station, evse, connector, stamp in facts}
        for name, address, answered in self._answered():
            self._tally["compared"] += 1
            found = stored.get((name, address), "")
            if found < answered.stamp:
                self._tally["statuses_lost"] += 1
                self.wrong.append(f"{name} {address}: told that {answered.stamp} is stored, found {found or 'nothing'}")

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
        micros = now.timestamp() * 1e6
        found: dict[str, set[str]] = defaultdict(set)
        for evse, kind in self.rows(
            "SELECT evse, kind FROM temporary_status WHERE removed_at_w IS NULL AND valid_from_w <= ?"
            " AND (valid_to_w IS NULL OR valid_to_w > ?)",
            micros,
            micros,
        ):
            found[self.evses[evse]].add(kind.lower())
        return found

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
            wanted = {
                known.get(evse_id, evse_id): WORDS[hub.hub.name][status]
                for evse_id, status in expected.items()
                if told(name, evse_id)
            }
            held = {key: value for key, value in hub.state().items() if (key, value) not in self.farewells}
            found += [f"{name} {line}" for line in differences(wanted, held)]
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
