"""Ask a running bridge about quirk profiles, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.quirk_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from bridge.web.quirk_shapes import StationQuirks

Ask = Callable[[str, str], Awaitable[StationQuirks]]
"""Sends GET for a path of a station with this name, and returns the answer. Raises: NotFound, Unavailable."""


class RestQuirks:
    """A running bridge's quirk profiles. Implements `bridge.web.quirk_services.QuirkServices`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def of_station(self, station: str) -> StationQuirks:
        """GET /api/v1/stations/{station}/quirks. Raises: NotFound."""
        return await self._ask(f"/api/v1/stations/{quote(station, safe='')}/quirks", station)
