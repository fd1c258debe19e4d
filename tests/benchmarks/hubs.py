"""Run the mock hubs, count what they were sent, and compare what they hold with what stations were answered.

Before it: the rows. After it: `ocpp-sim hubs`.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.processes import BIN, running, wait_for

HUBJECT_WORD = {
    "Charging": "Occupied",
    "Faulted": "OutOfService",
    "Reserved": "Reserved",
    "Unavailable": "OutOfService",
}
CHARGEPRICE_WORD = {
    "Charging": "occupied",
    "Faulted": "maintainance",
    "Reserved": "reserved",
    "Unavailable": "maintainance",
}
HUBS = ("hubject", "chargeprice")


class Hubs:
    """Both mock hubs, over their control interface."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self.urls = {hub: str(ready[f"{hub}_url"]) for hub in HUBS}
        self._control = str(ready["control_url"])

    def requests(self) -> dict[str, int]:
        """Return how many requests each hub has seen."""
        return {hub: int(self.ask(hub, "summary")["requests"]) for hub in HUBS}

    def ask(self, hub: str, what: str) -> Any:
        """Return what the control interface says of a hub: state, summary, journal, violations."""
        with urllib.request.urlopen(f"{self._control}/{hub}/{what}", timeout=30) as response:
            return json.load(response)

    def order(self, hub: str, what: str, order: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
        """Give the control interface an order, such as a fault."""
        body = None if order is None else json.dumps(order).encode()
        request = urllib.request.Request(f"{self._control}/{hub}/{what}", body, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            text = response.read()
        return json.loads(text) if text else None

    def differing(self, last: Mapping[str, str], hubs: tuple[str, ...] = HUBS) -> list[str]:
        """Return what these hubs hold that is not the last answered status of a station."""
        return [line for hub in hubs for line in self._differing(hub, last)]

    def _differing(self, hub: str, last: Mapping[str, str]) -> list[str]:
        held = self.ask(hub, "state")
        wanted = dict(word_at(hub, name, status) for name, status in last.items())
        return [
            f"{hub} {key}: {held.get(key)} instead of {word}" for key, word in wanted.items() if held.get(key) != word
        ]

    def agree(self, last: Mapping[str, str], within: float) -> list[str]:
        """Wait until both hubs hold what every station was last answered for; return what differs in the end."""
        ends = time.monotonic() + within
        while (wrong := self.differing(last)) and time.monotonic() < ends:
            time.sleep(0.5)
        return wrong


def word_at(hub: str, station: str, status: str) -> tuple[str, str]:
    """Return under what name a hub holds a station's EVSE, and the word for a status."""
    number = station[-5:]
    if hub == "hubject":
        return f"DE*ABC*E{number}", HUBJECT_WORD[status]
    return f"station-{number}/point-{number}", CHARGEPRICE_WORD[status]


@contextmanager
def mock_hubs(folder: Path, *, seed: int = 0) -> Iterator[Hubs]:
    """Run the mock hubs until the block ends."""
    ready, log = folder / "hubs.json", folder / "hubs.log"
    command = [str(BIN / "ocpp-sim"), "hubs", "--ready-file", str(ready), "--seed", str(seed)]
    with running(command, log):
        yield Hubs(json.loads(wait_for(ready, log)))
