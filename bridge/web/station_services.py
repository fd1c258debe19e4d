"""State what the web and the command line need of the bridge about stations.

Holds no implementation. `bridge.app` supplies one over the open store and the OCPP side; `bridge.cli` one over a
running bridge's REST interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Protocol

from bridge.web.station_shapes import (
    AvailabilityOrder,
    CallOrder,
    CallResult,
    ConfigurationChange,
    ConfigurationQuery,
    ProfileOrder,
    ResetOrder,
    RotationOrder,
    RotationResult,
    StationDetail,
    StationPage,
    TriggerOrder,
    UnlockOrder,
)


class StationServices(Protocol):
    """Every method may raise Unavailable; every one with an `identity` NotFound.

    What is sent to a station may also raise Conflict (away, not accepted, busy), ValueRefused (the standard forbids the
    request) and NotRunning.
    """

    async def list(self, limit: int, cursor: str | None, *, connected: bool | None, version: str | None) -> StationPage:
        """Return up to `limit` stations after `cursor`, which an earlier page gave."""
        ...

    async def get(self, identity: str) -> StationDetail:
        """Return everything about one station."""
        ...

    async def call(self, identity: str, order: CallOrder) -> CallResult:
        """Send any CALL of the station's version."""
        ...

    async def trigger(self, identity: str, order: TriggerOrder) -> CallResult:
        """Ask for a message."""
        ...

    async def availability(self, identity: str, order: AvailabilityOrder) -> CallResult:
        """Take a connector, an EVSE or the station in or out of service."""
        ...

    async def reset(self, identity: str, order: ResetOrder) -> CallResult:
        """Restart it."""
        ...

    async def get_configuration(self, identity: str, order: ConfigurationQuery) -> CallResult:
        """Read its configuration."""
        ...

    async def set_configuration(self, identity: str, order: ConfigurationChange) -> CallResult:
        """Write one value of its configuration."""
        ...

    async def unlock(self, identity: str, order: UnlockOrder) -> CallResult:
        """Unlock a connector."""
        ...

    async def rotate_key(self, identity: str, order: RotationOrder) -> RotationResult:
        """Give it another key; whichever it then holds, it can log in. Raises: Conflict (one is pending, no key)."""
        ...

    async def set_profile(self, identity: str, order: ProfileOrder) -> StationDetail:
        """Set how it must prove itself. Raises: Conflict (it lowers and lacks a yes, or it needs a key)."""
        ...
