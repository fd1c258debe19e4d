"""Shape what operators see of the bridge's own tasks. After it: `shapes`, whose Status has them."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

TaskState = Literal["running", "recovering", "down", "stalled"]


class TaskItem(BaseModel):
    """One task of the bridge that should run for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    """ticker, enforcer, lane ACCOUNT, …"""
    state: TaskState
    """recovering: it runs again, but has not yet run well for a while; down: it waits to be started anew."""
    restarts: int = 0
    stalls: int = 0
    """How often it hung, which is one way to be started anew."""
    why: str = ""
    """Why it is not well; empty: it is."""
    since: AwareDatetime | None = None


class LoopLag(BaseModel):
    """How late the event loop was within the last five minutes: whatever blocks it makes every station wait."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    p99_s: float
    max_s: float
