"""Shape what a stream of events says: one model for each event's data.

Each says how one thing stands now; of several about one thing only the newest counts. Never holds a secret.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bridge.core.modes import Mode
from bridge.web.shapes import DeliveryState, Shape, UpstreamState

TemporaryChangeWord = Literal["created", "changed", "ended"]


class StatusEvent(Shape):
    """`status`: an EVSE's effective status, live status or rule changed."""

    evse_id: str
    status: str
    live: str
    rule: str
    changed_at: AwareDatetime | None
    """When `status` last changed; null: it was never heard of."""


class DeliveryEvent(Shape):
    """`delivery`: what a hub should have of an EVSE, or what it answered, changed."""

    account: str
    evse_id: str
    desired: str
    acked: str | None
    acked_at: AwareDatetime | None
    state: DeliveryState
    why: str


class UpstreamEvent(Shape):
    """`upstream`: how an account does; at most about once a second."""

    name: str
    kind: str
    mode: Mode
    state: UpstreamState
    backlog: int
    refused: int
    lag_s: float | None
    paused_until: AwareDatetime | None
    held: str | None
    last_error: str
    last_accepted_at: AwareDatetime | None


class StationEvent(Shape):
    """`station`: a station came or went."""

    id: str
    connected: bool


class TemporaryEvent(Shape):
    """`temporary`: an operator created, changed or ended a temporary status.

    That one begins or ends as planned is told by the `status` of its EVSE.
    """

    id: int
    evse_id: str
    what: TemporaryChangeWord


class ResetEvent(Shape):
    """`reset`: read everything anew; what follows is only what changes from here on."""

    why: str
