"""Ask the simulators' control interfaces, and tell them what goes wrong: thin HTTP, no judgement.

After it: `harness`, which knows what has to agree with what.
"""

from __future__ import annotations

from typing import Any

import aiohttp

HUBS = ("hubject", "chargeprice")
_TIMEOUT = aiohttp.ClientTimeout(total=10)
_REST_S = 30.0


class Hub:
    """One mock hub as its control interface shows it."""

    def __init__(self, http: aiohttp.ClientSession, url: str, name: str) -> None:
        self._http = http
        self._url = f"{url}/{name}"
        self.name = name
        self.certificates = f"{self._url}/certificates"
        """Where the hub's authority takes orders; only where it speaks TLS."""

    async def state(self) -> dict[str, str]:
        """Return what it holds: {EVSE's key at the hub: word}."""
        return dict(await self._get("state"))

    async def documents(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return what it holds besides statuses, by the hub's own key."""
        return dict(await self._get(f"documents/{kind}"))

    async def configure(self, **options: Any) -> None:
        """Change what the hub knows."""
        async with self._http.patch(f"{self._url}/options", json=options, timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()

    async def journal(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the requests with a number above `after`, oldest first."""
        return list(await self._get(f"journal?after={after}&limit=100000"))

    async def last(self) -> int:
        """Return the number of the newest request."""
        return int((await self._get("summary"))["last"])

    async def violations(self) -> list[dict[str, Any]]:
        """Return the rules of its interface that were broken; parallel pushes are among them."""
        return list(await self._get("violations"))

    async def script(self, **fault: Any) -> None:
        """Switch a fault on: the members of `simulators.hubs.faults.FaultSpec`."""
        async with self._http.post(f"{self._url}/faults", json=fault, timeout=_TIMEOUT) as response:
            assert response.status == 201, await response.text()

    async def heal(self) -> None:
        """Switch every fault off."""
        async with self._http.delete(f"{self._url}/faults", timeout=_TIMEOUT) as response:
            assert response.status == 204, await response.text()

    async def set(self, **options: Any) -> None:
        """Change some of its options, by the names that its simulator has for them."""
        async with self._http.patch(f"{self._url}/options", json=options, timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()

    async def _get(self, what: str) -> Any:
        async with self._http.get(f"{self._url}/{what}", timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()
            return await response.json()


class FleetControl:
    """A running fleet as its control interface shows it."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def summary(self) -> dict[str, Any]:
        """Return the fleet's counts."""
        return dict(await self._get("summary"))

    async def all_connected(self) -> bool:
        """Say whether every station's WebSocket is open."""
        summary = await self.summary()
        return bool(summary["connected"] == summary["stations"])

    async def expected(self, hub: str) -> dict[str, str]:
        """Return what the oracle says that a hub must hold, worked out from the fleet's journal alone."""
        key = {"hubject": "evse_id", "chargeprice": "chargeprice_key"}[hub]
        return {evse[key]: evse[hub] for evse in (await self._get("expected"))["evses"]}

    async def journal(self) -> dict[str, Any]:
        """Return the last report of each connector of each station, and the last that was answered."""
        return dict(await self._get("journal"))

    async def rest(self, within: float = _REST_S) -> None:
        """Let every station make its last changes, stand still, and have everything answered within so many seconds."""
        timeout = aiohttp.ClientTimeout(total=within + 5)
        async with self._http.post(f"{self._url}/rest?timeout_s={within}", timeout=timeout) as response:
            restless = (await response.json())["restless"]
        assert restless == [], f"stations with reports that were not answered: {restless}"

    async def leave_open(self, share: float) -> list[str]:
        """Let this share of the stations leave their connection half open; return which do."""
        async with self._http.post(f"{self._url}/half-open?share={share}", timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()
            return list((await response.json())["stations"])

    async def lose(self, seconds: float, share: float = 1.0) -> list[str]:
        """Let this share of the stations lose the network at once, for so long in their own time; return which do."""
        url = f"{self._url}/lose?share={share}&seconds={seconds}"
        async with self._http.post(url, timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()
            return list((await response.json())["stations"])

    async def resume(self) -> None:
        """Let every station go on."""
        async with self._http.post(f"{self._url}/resume", timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()

    async def _get(self, what: str) -> Any:
        async with self._http.get(f"{self._url}/{what}", timeout=_TIMEOUT) as response:
            assert response.status == 200, await response.text()
            return await response.json()
