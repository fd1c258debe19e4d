"""Remember every report of the fleet and whether it was answered: the truth that a hub's view is compared with.

Never decides what a report means: that is `simulators.expected`. Before it: `station`, which writes each report when it
is sent and again when its CALLRESULT came. After it: `control`, and who reads the JSON-lines file.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from simulators.fleet.layout import Address

_KEPT = 256
"""Reports of each kind kept in memory per connector; the file holds them all."""


class Kind(StrEnum):
    """What kind of message carried a report."""

    STATUS = "status"
    TRANSACTION = "transaction"


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it went over the wire."""

    n: int
    """Counts up over the whole fleet, in the order of sending."""
    at: str
    """The timestamp in the message, RFC 3339; strictly increasing per station."""
    station: str
    evse: int
    connector: int
    kind: Kind
    status: str | None = None
    """The status word as sent; None for a transaction event."""
    transaction: str = ""
    phase: str = ""
    """Started, Updated or Ended."""
    charging_state: str | None = None
    """OCPP 2.0.1 chargingState as sent, with transaction events only."""
    offline: bool = False
    """The event was sent late, marked with the flag of OCPP 2.0.1."""
    answered: bool = False
    """A CALLRESULT for it arrived."""
    sent_s: float = 0.0
    """When it was about to be sent, in seconds since 1970 by this machine's clock, whatever the station's says."""
    answered_s: float = 0.0
    """When its CALLRESULT had arrived; 0 where it has not."""

    @property
    def address(self) -> Address:
        """Return the connector that it is about."""
        return Address(self.evse, self.connector)


class Journal:
    """The reports of a fleet, append-only, in memory per connector and, if a path is given, in a JSON-lines file."""

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        """Open the file for appending, where there is one."""
        self._clock = clock
        self._lines: dict[tuple[str, Address, Kind], deque[Report]] = {}
        self._last: dict[tuple[str, Address], Report] = {}
        self._last_answered: dict[tuple[str, Address], Report] = {}
        self._count = 0
        self._answered = 0
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path is not None else None

    @property
    def count(self) -> int:
        """Return how many reports were sent."""
        return self._count

    @property
    def answered(self) -> int:
        """Return how many of them were answered."""
        return self._answered

    def sent(self, report: Report) -> Report:
        """Append a report that is about to be sent; returns it with its number."""
        self._count += 1
        numbered = replace(report, n=self._count, answered=False, sent_s=self._clock())
        key = (numbered.station, numbered.address)
        self._lines.setdefault((*key, numbered.kind), deque(maxlen=_KEPT)).append(numbered)
        if numbered.kind is Kind.STATUS:
            self._last[key] = numbered
        self._write(numbered)
        return numbered

    def was_answered(self, report: Report) -> None:
        """Append that the CALLRESULT of a report, as returned by `sent`, arrived."""
        self._answered += 1
        answered = replace(report, answered=True, answered_s=self._clock())
        key = (answered.station, answered.address)
        line = self._lines[(*key, answered.kind)]
        for index in range(len(line) - 1, -1, -1):
            if line[index].n == answered.n:
                line[index] = answered
                break
        if answered.kind is Kind.STATUS:
            self._last_answered[key] = answered
            if self._last[key].n == answered.n:
                self._last[key] = answered
        self._write(answered)

    def last(self, station: str, address: Address) -> Report | None:
        """Return the last status report of a connector, answered or not; None where there was none."""
        return self._last.get((station, address))

    def last_answered(self, station: str, address: Address) -> Report | None:
        """Return the last status report of a connector that was answered; None where there was none."""
        return self._last_answered.get((station, address))

    def reports(self, station: str, addresses: Iterable[Address]) -> list[Report]:
        """Return the kept reports at these addresses of a station, in the order of sending."""
        lines = (self._lines.get((station, address, kind), ()) for address in addresses for kind in Kind)
        found = [report for line in lines for report in line]
        return sorted(found, key=lambda report: report.n)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, report: Report) -> None:
        if self._file is not None:
            self._file.write(json.dumps(asdict(report), separators=(",", ":")) + "\n")
            self._file.flush()


def read_journal(path: Path) -> list[Report]:
    """Return the reports of a journal file in the order of sending, each with its last known `answered`.

    A last line that a killed process left unfinished is ignored.
    """
    reports: dict[int, Report] = {}
    for line in _lines(path):
        reports[line["n"]] = Report(**{**line, "kind": Kind(line["kind"])})
    return [reports[n] for n in sorted(reports)]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)
