"""Compare what a hub holds with what the oracle expects, EVSE by EVSE.

Pure, and complete: an EVSE that only one side knows is a difference, and nothing at all is no agreement. Before it:
`sources`. After it: `session`, which prints the lines and decides the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOTHING = "(nothing)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One EVSE about which a hub is wrong."""

    key: str
    expected: str
    held: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far one hub agrees with the oracle."""

    hub: str
    total: int
    """EVSEs that the oracle expects something of."""
    differences: tuple[Difference, ...]

    @property
    def complete(self) -> bool:
        """Say whether the hub holds what is expected for every EVSE, and there is any."""
        return self.total > 0 and not self.differences

    @property
    def agreeing(self) -> int:
        """Return for how many of the expected EVSEs the hub is right."""
        return self.total - sum(difference.expected != NOTHING for difference in self.differences)

    def lines(self) -> list[str]:
        """Return what a user reads: the verdict, then each EVSE that differs."""
        verdict = f"hubs agree: {self.agreeing}/{self.total} EVSEs ({self.hub})"
        return [verdict] + [
            f"  {self.hub}: {difference.key} should be {difference.expected}, the hub holds {difference.held}"
            for difference in self.differences
        ]


def compare(hub: str, expected: Mapping[str, str], held: Mapping[str, str]) -> Agreement:
    """Return how a hub's state compares with what is expected; both are {EVSE's key at the hub: the hub's word}."""
    keys = sorted(expected.keys() | held.keys())
    differences = tuple(
        Difference(key, expected.get(key, NOTHING), held.get(key, NOTHING))
        for key in keys
        if expected.get(key) != held.get(key)
    )
    return Agreement(hub, len(expected), differences)
