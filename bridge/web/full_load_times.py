"""Shape when an account's fullLoads were sent and will be, as `UpstreamItem` shows it. Beside it: `shapes`."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict


class FullLoadTimes(BaseModel):
    """When an account's fullLoads were sent and will be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wanted: str | None = None
    """Why one goes out as soon as it may; null: none does."""
    attempted_at: AwareDatetime | None = None
    accepted_at: AwareDatetime | None = None
    next_at: AwareDatetime | None = None
    """The next daily or weekly one."""
    size: int | None = None
    """Records of the last accepted one."""
