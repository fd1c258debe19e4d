"""Shape how the bridge does: at a glance, whether it is ready, and each part of it.

Never holds a secret. Beside it: `shapes`, which has accounts and listeners; `task_shapes`. Used by `health_routes`,
`metrics` and the command line.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from bridge.web.shapes import ListenerItem, Shape, UpstreamItem
from bridge.web.task_shapes import LoopLag, TaskItem

HealthWord = Literal["ok", "degraded", "failed"]


class Status(Shape):
    """The bridge at a glance."""

    version: str
    started_at: AwareDatetime | None
    """null: the bridge is stopped, and the command line read the store itself."""
    stations: int
    connected: int
    evses: int
    effective: dict[str, int]
    """Effective status → how many EVSEs."""
    upstreams: tuple[UpstreamItem, ...]
    listeners: tuple[ListenerItem, ...] = ()
    """Where stations connect; empty: at the one plain address of [ocpp]."""
    warnings: tuple[str, ...] = ()
    quarantined: int = 0
    """Stations in quarantine."""
    refused_stations: int = 0
    """Stations whose connections were refused within the last 10 minutes."""
    counts: dict[str, int] = Field(default_factory=dict)
    """What the OCPP side counted since the bridge's start, by kind."""
    tasks: tuple[TaskItem, ...] = ()
    """Empty: the bridge is stopped."""
    loop_lag: LoopLag | None = None
    """null: the bridge is stopped, or has just started."""


class Liveness(Shape):
    """The process answers."""

    live: bool


class Readiness(Shape):
    """Whether the bridge can record what stations report; a hub that is down does not count."""

    ready: bool
    why: str = ""


class Component(Shape):
    """How one part of the bridge does."""

    status: HealthWord
    why: str = ""


class Health(Shape):
    """How the bridge does: the worst of its components, each by name."""

    status: HealthWord
    """degraded: statuses are recorded, but a hub or a certificate needs somebody; failed: they are not recorded."""
    components: dict[str, Component]
