"""Ask a running bridge about stations, as the same services that the bridge has inside.

Never opens a connection: `client` does. After it: `bridge.web.station_routes`, on the wire.
"""

from __future__ import annotations

from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from bridge.cli.answers import classified
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
    Timed,
    TriggerOrder,
    UnlockOrder,
)

_PATH = "/api/v1/stations"
_USUAL_S = 60.0
"""How long a station may take where the order does not say."""
_Answer = TypeVar("_Answer", bound=BaseModel)


class Request(Protocol):
    """Sends a request and returns (HTTP status, text)."""

    async def __call__(
        self, method: str, path: str, body: str | None = None, *, patience_s: float = 0.0
    ) -> tuple[int, str]:
        """Send it; `patience_s`: how much longer than usual the answer may take."""
        ...


class RestStations:
    """A running bridge's stations. Implements `bridge.web.station_services.StationServices`."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def list(self, limit: int, cursor: str | None, *, connected: bool | None, version: str | None) -> StationPage:
        """GET /api/v1/stations."""
        named = {
            "cursor": cursor,
            "version": version,
            "connected": None if connected is None else str(connected).lower(),
        }
        query = urlencode({"limit": limit} | {name: value for name, value in named.items() if value is not None})
        return classified(*await self._request("GET", f"{_PATH}?{query}"), StationPage)

    async def get(self, identity: str) -> StationDetail:
        """GET …/{id}."""
        return classified(*await self._request("GET", _one(identity)), StationDetail)

    async def call(self, identity: str, order: CallOrder) -> CallResult:
        """POST …/calls."""
        return await self._order(identity, "calls", order, CallResult)

    async def trigger(self, identity: str, order: TriggerOrder) -> CallResult:
        """POST …/trigger."""
        return await self._order(identity, "trigger", order, CallResult)

    async def availability(self, identity: str, order: AvailabilityOrder) -> CallResult:
        """POST …/availability."""
        return await self._order(identity, "availability", order, CallResult)

    async def reset(self, identity: str, order: ResetOrder) -> CallResult:
        """POST …/reset."""
        return await self._order(identity, "reset", order, CallResult)

    async def get_configuration(self, identity: str, order: ConfigurationQuery) -> CallResult:
        """POST …/configuration/get."""
        return await self._order(identity, "configuration/get", order, CallResult)

    async def set_configuration(self, identity: str, order: ConfigurationChange) -> CallResult:
        """POST …/configuration/set."""
        return await self._order(identity, "configuration/set", order, CallResult)

    async def unlock(self, identity: str, order: UnlockOrder) -> CallResult:
        """POST …/unlock."""
        return await self._order(identity, "unlock", order, CallResult)

    async def rotate_key(self, identity: str, order: RotationOrder) -> RotationResult:
        """POST …/rotate-key."""
        return await self._order(identity, "rotate-key", order, RotationResult)

    async def set_profile(self, identity: str, order: ProfileOrder) -> StationDetail:
        """PUT …/profile."""
        answer = await self._request("PUT", f"{_one(identity)}/profile", order.model_dump_json())
        return classified(*answer, StationDetail)

    async def _order(self, identity: str, verb: str, order: Timed, model: type[_Answer]) -> _Answer:
        # It may wait for its turn as long as for its answer.
        patience_s = 2 * (order.timeout_s or _USUAL_S)
        answer = await self._request("POST", f"{_one(identity)}/{verb}", order.model_dump_json(), patience_s=patience_s)
        return classified(*answer, model)


def _one(identity: str) -> str:
    return f"{_PATH}/{quote(identity, safe='')}"
