"""Read the demo's processes over HTTP: the fleet's control, the hubs' control, the bridge's REST interface.

Never judges what it reads. A source that does not answer in time is a SourceSilent, since a bridge may be restarted
while people watch. After it: `view` and `agreement`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

HUBS = ("hubject", "chargeprice")
_TIMEOUT_S = 5.0
_REST_TIMEOUT_S = 30.0
_PAGES = 1000


class SourceSilent(Exception):
    """A process did not answer, or not with what it should."""

    def __init__(self, url: str, why: str) -> None:
        self.url, self.why = url, why[:256]

    def __str__(self) -> str:
        """Return who was silent, and how."""
        return f"{self.url}: {self.why}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the processes listen."""

    fleet: str
    hubs: str
    bridge: str
    token_file: Path


class Sources:
    """The demo's processes, as far as they can be asked."""

    def __init__(self, http: aiohttp.ClientSession, addresses: Addresses) -> None:
        """Ask over `http`, which the caller closes."""
        self._http = http
        self._at = addresses

    async def journal(self) -> dict[str, Any]:
        """Return what the fleet reported."""
        return dict(await self._get(f"{self._at.fleet}/journal"))

    async def expected(self) -> dict[str, dict[str, str]]:
        """Return, for each hub, what the oracle says it must hold: {EVSE's key at the hub: word}."""
        evses = (await self._get(f"{self._at.fleet}/expected"))["evses"]
        return {
            "hubject": {evse["evse_id"]: evse["hubject"] for evse in evses},
            "chargeprice": {evse["chargeprice_key"]: evse["chargeprice"] for evse in evses},
        }

    async def held(self, hub: str) -> dict[str, str]:
        """Return what a hub holds: {EVSE's key at the hub: word}."""
        return dict(await self._get(f"{self._at.hubs}/{hub}/state"))

    async def violations(self, hub: str) -> list[Any]:
        """Return the rules of a hub's API that were broken."""
        return list(await self._get(f"{self._at.hubs}/{hub}/violations"))

    async def evses(self) -> list[dict[str, Any]]:
        """Return every EVSE as the bridge sees it, over all pages."""
        url = f"{self._at.bridge}/api/v1/evses"
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(_PAGES):
            query = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
            page = await self._get(url, query, self._token())
            found += page["items"]
            cursor = page.get("next_cursor")
            if cursor is None:
                return found
        raise SourceSilent(url, f"more than {_PAGES} pages")

    async def upstreams(self) -> list[dict[str, Any]]:
        """Return every account as the bridge sees it."""
        return list((await self._get(f"{self._at.bridge}/api/v1/upstreams", headers=self._token()))["items"])

    async def rest(self) -> list[str]:
        """Bring the fleet to rest; returns the stations that could not, so that [] is success."""
        url = f"{self._at.fleet}/rest"
        timeout = aiohttp.ClientTimeout(total=_REST_TIMEOUT_S + _TIMEOUT_S)
        try:
            async with self._http.post(url, params={"timeout_s": str(_REST_TIMEOUT_S)}, timeout=timeout) as response:
                return list((await response.json())["restless"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise SourceSilent(url, str(error) or type(error).__name__) from error

    def _token(self) -> dict[str, str]:
        try:
            return {"Authorization": f"Bearer {self._at.token_file.read_text(encoding='utf-8').strip()}"}
        except OSError as error:
            raise SourceSilent(str(self._at.token_file), error.strerror or "unreadable") from error

    async def _get(
        self, url: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        try:
            async with self._http.get(url, params=query, headers=headers, timeout=timeout) as response:
                if response.status != 200:
                    raise SourceSilent(url, f"HTTP {response.status} {(await response.text())[:200]}")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SourceSilent(url, str(error) or type(error).__name__) from error
