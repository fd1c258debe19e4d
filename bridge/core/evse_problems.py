"""Say what is wrong with an EVSE, so that somebody should look at it: one list, for filters, pages and the first place.

Pure. What mends itself (a push that will be tried again) and what an operator wants so (a temporary status, an EVSE out
of service) is no problem. Before it: `effective` and `reconcile`. Beside it: `store.evse_search`, which asks the same
of the database.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from bridge.core.model import EvseStatus


class EvseProblem(StrEnum):
    """What is wrong, the most urgent first."""

    REFUSED = "refused"
    """A hub refuses its status."""
    HELD = "held"
    """Its status waits, as the account at the hub is held."""
    FAULTED = "faulted"
    """It is out of order, and no temporary status says that somebody knows."""
    UNREACHABLE = "unreachable"
    """Its station has been silent for too long."""
    UNKNOWN = "unknown"
    """It has not reported a status that counts."""


def problems_of(status: EvseStatus, unreachable: bool, states: Collection[str]) -> tuple[EvseProblem, ...]:
    """Return what is wrong, the most urgent first; `states` are those of its deliveries ("agreed", "refused", …)."""
    holds = {
        EvseProblem.REFUSED: "refused" in states,
        EvseProblem.HELD: "held" in states,
        EvseProblem.FAULTED: status is EvseStatus.FAULTED,
        EvseProblem.UNREACHABLE: unreachable,
        EvseProblem.UNKNOWN: status is EvseStatus.UNKNOWN,
    }
    return tuple(problem for problem in EvseProblem if holds[problem])
