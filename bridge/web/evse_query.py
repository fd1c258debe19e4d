"""State which EVSEs are asked for, and in what order.

Never reads a request or the store. Before it: `evse_routes` and pages. After it: `services.list_evses`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.core.model import EvseStatus
from bridge.web.shapes import DeliveryState

EvseOrder = Literal["id", "problems"]
"""By EVSE id; or those with problems first, the most urgent on top, and then by id."""


@dataclass(frozen=True, slots=True)
class EvseQuery:
    """A page of EVSEs; every filter that is given has to hold."""

    limit: int = 100
    cursor: str | None = None
    """`next_cursor` of the page before, which was asked for in the same order."""
    statuses: tuple[EvseStatus, ...] = ()
    """Effective status: any of these; empty: any at all."""
    station: str | None = None
    operator: str | None = None
    operators: frozenset[str] | None = None
    """Only EVSEs of these, whatever else is asked: whose EVSEs the key may see; None: everybody's."""
    account: str | None = None
    states: tuple[DeliveryState, ...] = ()
    """How its status stands at `account`, or at any account where none is named: any of these."""
    connected: bool | None = None
    """Its station is connected now, or is not."""
    problems: bool | None = None
    """There is something wrong (`core.evse_problems`), or there is nothing."""
    q: str = ""
    """Part of its id, with or without separators, or of its station's id; in any case."""
    sort: EvseOrder = "id"
