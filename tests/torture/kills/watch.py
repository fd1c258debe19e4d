"""Follow the fleet's journal and the hubs', and count what a kill cut off. Reads each line once.

Never judges: `order` and `tests.acceptance.stored` do. Before it: `world`, which says when a life began and ended.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.fleet.journal import Kind, Report
from tests.acceptance.controls import Hub

_OPEN_S = 0.5
"""A call that is older than this when the bridge dies may have been cut by the fleet itself: it does not count."""
_GIVEN_UP_S = 1.0
"""The bridge's own limit for a request in these runs: one that is older was open no more."""


@dataclass(slots=True)
class FleetWatch:
    """What a fleet has said and had answered, as its journal's file tells."""

    path: Path
    reports: dict[int, Report] = field(default_factory=dict)
    _read: int = 0

    def follow(self) -> None:
        """Read what is new; a line that is not finished yet comes with the next reading."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            values = json.loads(line)
            self.reports[values["n"]] = Report(**{**values, "kind": Kind(values["kind"])})

    def statuses_answered(self) -> int:
        """Return how many statuses stations were told we have."""
        return sum(report.answered and report.kind is Kind.STATUS for report in self.reports.values())

    def calls_open(self, at: float) -> int:
        """Return how many calls were waiting for their answer at this moment, and never got it."""
        newest = {report.station: report for report in self.reports.values() if report.sent_s <= at}
        return sum(not report.answered and at - report.sent_s < _OPEN_S for report in newest.values())


@dataclass(slots=True)
class HubWatch:
    """What a hub has received, as its journal tells."""

    hub: Hub
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    _finished: int = 0

    async def follow(self) -> None:
        """Read what is new, and again what had not been answered yet. The bridge must be dead, so that nothing is."""
        for entry in await self.hub.journal(self._finished):
            self.entries[entry["n"]] = entry
        self._finished = max(self.entries, default=0)

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Every request, in the order of receipt."""
        return [self.entries[n] for n in sorted(self.entries)]

    def pushes_open(self, at: float) -> int:
        """Return how many requests were waiting for their answer at this moment: their sender never read it."""
        return sum(_open(entry, at) for entry in self.entries.values())


def _open(entry: dict[str, Any], at: float) -> bool:
    if not at - _GIVEN_UP_S < entry["received_at"] <= at or "reset" in entry["fault"]:
        return False
    return entry["http"] is None or entry["answered_at"] > at
