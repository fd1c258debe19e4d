"""Ask a running bridge about quirk profiles, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.quirk_routes`, on the wire.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from bridge.cli.answers import classified
from bridge.web.quirk_shapes import StationQuirks

Request = Callable[[str, str, str | None], Awaitable[tuple[int, str]]]
"""Sends (method, path, body) and returns (HTTP status, text)."""


class RestQuirks:
    """A running bridge's quirk profiles. Implements `bridge.web.quirk_services.QuirkServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def of_station(self, station: str) -> StationQuirks:
        """GET /api/v1/stations/{station}/quirks. Raises: NotFound."""
        path = f"/api/v1/stations/{quote(station, safe='')}/quirks"
        return classified(*await self._request("GET", path, None), StationQuirks)
