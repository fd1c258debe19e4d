"""Say what hubs should hold, and find what must never be: from what stations were told and hubs were sent.

Shares no rule with the product: the words are literals of the standards and of design §5 and §6.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

LIVE = {
    "Available": "available", "Preparing": "occupied", "Charging": "charging", "SuspendedEV": "occupied",
    "Finishing": "occupied", "Occupied": "occupied", "Reserved": "reserved", "Unavailable": "unavailable",
    "Faulted": "faulted",
}  # fmt: skip
"""What a connector's own word means. Source: design §5."""

RANK = ("charging", "occupied", "reserved", "available", "unavailable", "faulted", "unknown")

WORDS = {
    "hubject": {
        "available": "Available", "occupied": "Occupied", "charging": "Occupied", "reserved": "Reserved",
        "unavailable": "OutOfService", "faulted": "OutOfService", "unknown": "Unknown",
        "maintenance": "OutOfService", "commissioning": "OutOfService", "blocked": "Occupied",
    },
    "chargeprice": {
        "available": "available", "occupied": "occupied", "charging": "occupied", "reserved": "reserved",
        "unavailable": "maintainance", "faulted": "maintainance", "unknown": "unknown",
        "maintenance": "maintainance", "commissioning": "maintainance", "blocked": "occupied",
    },
}  # fmt: skip
"""A hub's word for each effective status. Source: design §6."""

_REPLACES = ("maintenance", "commissioning", "blocked")


def effective(connectors: Iterable[str], temporary: Iterable[str]) -> str:
    """Return an EVSE's status by what its connectors said last and the temporary statuses that are in force."""
    live = min((LIVE[word] for word in connectors), key=RANK.index, default="unknown")
    return replaced(live, set(temporary))


def replaced(live: str, kinds: Collection[str]) -> str:
    """Return what an EVSE is that is `live` by its station, with these temporary statuses in force."""
    for kind in _REPLACES:
        if kind in kinds:
            return kind
    return "reserved" if "reserved" in kinds and live not in ("faulted", "unavailable") else live


@dataclass(slots=True)
class Course:
    """What one EVSE has been, each with its moment, and how far the requests of each hub have come along it."""

    states: list[tuple[float, str]] = field(default_factory=lambda: [(0.0, "unknown")])
    reached: dict[str, int] = field(default_factory=dict)

    def sent(self, hub: str, word: str, at: float, slack_s: float) -> str | None:
        """Take a request that carried `word` at this moment; return what is wrong with it, if anything is.

        It must say what the EVSE was at most `slack_s` before, and nothing older than an earlier request has said.
        """
        words = WORDS[hub]
        first = self.reached.get(hub, 0)
        ends = [moment for moment, _ in self.states[1:]] + [at]
        fitting = [
            index
            for index in range(first, len(self.states))
            if words[self.states[index][1]] == word and ends[index] >= at - slack_s
        ]
        if not fitting:
            said = [(round(moment, 3), words[state]) for moment, state in self.states[-6:]]
            return f"{hub} was sent {word!r} at {at:.3f}, when the EVSE had been {said}"
        self.reached[hub] = fitting[0]
        return None


class Timeliness:
    """Says where a temporary status is not in force though it should have been for a while, or still is. Pure."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._since: dict[str, tuple[frozenset[str], float]] = {}

    def look(
        self, at: float, in_force: Mapping[str, Collection[str]], shown: Mapping[str, tuple[str, str]]
    ) -> list[str]:
        """Return what is wrong now. `shown`: what each EVSE is, and what it is by its station alone."""
        found = []
        for evse_id, (status, live) in shown.items():
            kinds = frozenset(in_force.get(evse_id, ()))
            before, since = self._since.get(evse_id, (None, at))
            if kinds != before:
                since = at
            self._since[evse_id] = (kinds, since)
            if at - since > self._within_s and status != replaced(live, kinds):
                found.append(f"{evse_id}: {sorted(kinds)} for {at - since:.1f} s, and it is {status} ({live})")
        return found

    def interrupted(self) -> None:
        """Begin anew: nobody could have done anything."""
        self._since.clear()

    def settled(self, at: float) -> bool:
        """Tell whether nothing has changed so lately that it must be looked at again soon."""
        return bool(self._since) and all(at - since > self._within_s for _, since in self._since.values())


def differences(expected: Mapping[str, str], held: Mapping[str, str]) -> list[str]:
    """Return one line for each EVSE about which a hub is wrong."""
    return [
        f"{key}: should be {expected.get(key)}, is {held.get(key)}"
        for key in sorted(expected.keys() | held.keys())
        if expected.get(key) != held.get(key)
    ]
