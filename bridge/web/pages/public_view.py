"""Say of an EVSE what anybody may know: its id, and whether one can charge there.

Pure. Never tells of stations, hubs, operators or reasons. Before it: `public`. After it: the template and the JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "available": "available",
        "occupied": "busy",
        "charging": "busy",
        "reserved": "busy",
        "blocked": "busy",
        "unavailable": "out of service",
        "faulted": "out of service",
        "maintenance": "out of service",
        "commissioning": "out of service",
        "unknown": "unknown",
    }
)
"""Effective status → what the public is told."""
ORDER = ("available", "busy", "out of service", "unknown")


class PublicEvse(NamedTuple):
    """One EVSE; there may be ten thousand of them in each look."""

    evse_id: str
    status: str


@dataclass(frozen=True, slots=True)
class PublicPart:
    """What one page shows of those that were asked for."""

    evses: tuple[PublicEvse, ...]
    following: str | None
    """Id to go on after; None: these are the last."""


def counted(evses: Sequence[PublicEvse]) -> dict[str, int]:
    """Return how many there are of each word, of all four."""
    found = Counter(evse.status for evse in evses)
    return {word: found[word] for word in ORDER}


def part(evses: Sequence[PublicEvse], *, status: str, q: str, after: str, limit: int) -> PublicPart:
    """Return at most `limit` of those that are like that, by id; empty: whichever."""
    wanted = q.upper()
    found = [
        evse
        for evse in evses
        if (not status or evse.status == status) and wanted in evse.evse_id and evse.evse_id > after
    ]
    return PublicPart(tuple(found[:limit]), found[limit - 1].evse_id if len(found) > limit else None)
