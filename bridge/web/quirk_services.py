"""State what the web and the command line need of the bridge about quirk profiles.

Holds no implementation. `bridge.app` supplies one over the open store; `bridge.cli` one over a running bridge's REST
interface. Expected failures are the exceptions of `services`.
"""

from __future__ import annotations

from typing import Protocol

from bridge.web.quirk_shapes import StationQuirks


class QuirkServices(Protocol):
    """Every method may raise Unavailable."""

    async def of_station(self, station: str) -> StationQuirks:
        """Return the profiles that apply to a station, and why. Raises: NotFound."""
        ...
