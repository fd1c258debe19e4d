"""Shape how many EVSEs there are of each kind. Never says which: `services.list_evses` does, by the same conditions."""

from __future__ import annotations

from bridge.web.shapes import Shape


class EvseCounts(Shape):
    """How many EVSEs there are of each kind, of those that the key may see."""

    evses: int
    problems: int
    """Something is wrong with them (`core.evse_problems`)."""
    offline: int
    """Their station is not connected."""
    statuses: dict[str, int]
    """Effective status → how many."""
