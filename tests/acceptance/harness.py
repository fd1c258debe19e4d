"""Run the product as its users do: the bridge, two mock hubs and a fleet, each a real process on loopback.

One `Site` is one folder with one of each. It starts and stops them, asks them over HTTP, and knows what must agree.
Never imports the product: everything goes through commands, sockets, HTTP and the database file.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from simulators.demo.agreement import compare
from simulators.expected import CHARGEPRICE, HUBJECT
from simulators.fleet.layout import DEFAULT_VERSIONS, StationSpec, Version, inventory_csv
from simulators.fleet.plan import Plan
from simulators.fleet.quirks import chosen
from tests.acceptance.controls import HUBS, FleetControl, Hub
from tests.acceptance.processes import Process, Processes, free_port, until

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
READY_S = 20.0
AGREE_S = 30.0

QUICK = {
    "OCPP__SETTLE": "0.3 s",
    "OCPP__SETTLE_AFTER_BOOT": "2 s",
    "OCPP__TRIGGER_TIMEOUT": "2 s",
    "OCPP__TRIGGER_SPREAD": "0 s",
    "STATUS__AVAILABLE_HOLD": "0.3 s",
    "PUSH__CONNECT_TIMEOUT": "1 s",
    "PUSH__TOTAL_TIMEOUT": "1 s",
    "PUSH__DOUBT": "2 s",
}
"""The bridge's settings by their variables, without BRIDGE_: as its defaults, in seconds instead of minutes."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Which fleet runs."""

    stations: int = 24
    seed: int = 7
    scenario: str = "busy"
    speed: float = 10.0
    quirks: tuple[str, ...] = ()
    quirk_share: float = 1.0
    versions: tuple[Version, ...] = DEFAULT_VERSIONS
    security: tuple[int, ...] = (1,)
    options: tuple[str, ...] = ()
    """Further ones of `ocpp-sim fleet` that the inventory does not depend on."""

    @property
    def specs(self) -> tuple[StationSpec, ...]:
        """Its stations."""
        plan = Plan(self.stations, self.seed, self.versions, self.security, chosen(self.quirks), self.quirk_share)
        return plan.specs()

    @property
    def inventory(self) -> str:
        """The CSV that the bridge imports."""
        return inventory_csv(self.specs)

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the fleet is started with, besides where it connects to."""
        quirks = ("--quirk", ",".join(self.quirks), "--quirk-share", str(self.quirk_share)) if self.quirks else ()
        return (
            *("--stations", str(self.stations), "--seed", str(self.seed)),
            *("--versions", ",".join(self.versions), "--security", ",".join(map(str, self.security))),
            *("--scenario", self.scenario, "--speed", str(self.speed), *quirks, *self.options),
        )


class Site:
    """One bridge between mock hubs and stations. `close` ends everything; needs no event loop for the processes."""

    def __init__(
        self, folder: Path, http: aiohttp.ClientSession, settings: Mapping[str, str], database_url: str | None
    ) -> None:
        self.folder = folder
        self.processes = Processes(folder)
        self.state_dir = folder / "bridge"
        self.journal = folder / "fleet-journal.jsonl"
        self.database_url = database_url or f"sqlite:///{self.state_dir / 'bridge.db'}"
        self.ocpp_url = ""
        self.hubs: dict[str, Hub] = {}
        self.mirror: Hub | None = None
        """The mock Spirii, which is told no statuses; the demo's configuration has no account there."""
        self.mirror_url = ""
        self._http = http
        self._settings = {**QUICK, "OCPP__PORT": str(free_port()), "WEB__PORT": str(free_port()), **settings}
        self._config = ROOT / "config" / "demo" / "bridge.toml"
        self._hub_urls: dict[str, str] = {}
        self.bridge_command = [str(BIN / "ocpp-bridge")]
        """What is run as the bridge; a test may put a broken one in its place."""
        self.variables: dict[str, str] = {}
        """Further variables of the bridge's environment, by their whole names."""
        self._bridge: Process | None = None
        self._fleet: FleetControl | None = None
        self.silent: tuple[StationSpec, ...] = ()
        """Stations of the inventory that the fleet does not have: hubs must hold that nothing is known of them."""

    def set(self, **settings: str) -> None:
        """Add settings, by their variables without BRIDGE_, for the next start."""
        self._settings |= settings

    def unset(self, setting: str) -> None:
        """Leave a setting to the configuration, for the next start."""
        self._settings.pop(setting)

    def configure(self, text: str) -> None:
        """Let the bridge run with this configuration instead of the demo's."""
        self._config = self.folder / "bridge.toml"
        self._config.write_text(text, encoding="utf-8")

    # --- processes ----------------------------------------------------------------------------------------------------

    @property
    def bridge(self) -> Process:
        """The bridge that was started last."""
        assert self._bridge is not None, "no bridge was started"
        return self._bridge

    @property
    def fleet(self) -> FleetControl:
        """The fleet."""
        assert self._fleet is not None, "no fleet was started"
        return self._fleet

    async def start_hubs(self, *arguments: str) -> None:
        """Start the mock hubs; Hubject refuses to update what it does not know."""
        ready = self.folder / "hubs.json"
        process = self._simulator("hubs", "--strict-known", "--ready-file", str(ready), *arguments)
        found = await self._ready(process, ready)
        self._hub_urls = {hub: found[f"{hub}_url"] for hub in HUBS}
        self.hubs = {hub: Hub(self._http, found["control_url"], hub) for hub in HUBS}
        self.mirror, self.mirror_url = Hub(self._http, found["control_url"], "spirii"), found["spirii_url"]

    async def start_bridge(self) -> None:
        """Start the bridge, on the same ports and the same state each time."""
        self.launch_bridge()
        await self.bridge_is_ready()

    def launch_bridge(self) -> None:
        """Start the bridge as `start_bridge` does, and do not wait for it."""
        self._bridge = self.processes.start("bridge", self._command("serve"), self._environ())

    async def bridge_is_ready(self) -> None:
        """Wait until the bridge that was launched is ready."""
        ports = await self._ready(self.bridge, self.state_dir / "ports.json")
        self.ocpp_url = f"ws://127.0.0.1:{ports['ocpp']}"

    async def import_inventory(self, content: str) -> None:
        """Import an inventory into the bridge that runs."""
        await self.order("inventory", {"csv": content})

    async def start_fleet(self, plan: FleetPlan) -> None:
        """Start the fleet, whose stations must be in the inventory."""
        ready = self.folder / "fleet.json"
        process = self._simulator(
            *("fleet", "--url", self.ocpp_url, *plan.arguments, "--journal", str(self.journal)),
            *("--control-port", "0", "--ready-file", str(ready)),
        )
        self._fleet = FleetControl(self._http, (await self._ready(process, ready))["control_url"])

    async def start(self, plan: FleetPlan) -> None:
        """Start everything, and wait until every station is connected."""
        await self.start_hubs()
        await self.start_bridge()
        await self.import_inventory(plan.inventory)
        await self.start_fleet(plan)
        await until(self.fleet.all_connected, READY_S, "every station connected")

    def kill_bridge(self) -> None:
        """End the bridge as `kill -9` does."""
        self.bridge.kill()

    async def stop_bridge(self, within: float = 10.0) -> int:
        """Ask the bridge to end as a service manager does, and return its exit code."""
        self.bridge.signal(signal.SIGTERM)
        return await self.bridge.ended(within)

    def close(self) -> None:
        """End every process."""
        self.processes.end()

    def _simulator(self, name: str, *arguments: str) -> Process:
        return self.processes.start(name, [str(BIN / "ocpp-sim"), name, *arguments], os.environ)

    async def run(self, *arguments: str, within: float = 20.0) -> tuple[int, str]:
        """Run an `ocpp-bridge` command to its end, and return its exit code and what it said."""
        process = self.processes.start("command", self._command(*arguments), self._environ())
        before = process.log.stat().st_size
        code = await process.ended(within)
        return code, process.log.read_bytes()[before:].decode()

    def environ(self) -> dict[str, str]:
        """Return the bridge's environment, with the configuration in it, for commands that a test runs by itself."""
        return self._environ() | {"BRIDGE_CONFIG": str(self._config)}

    def _command(self, *arguments: str) -> list[str]:
        return [*self.bridge_command, *arguments, "--config", str(self._config)]

    def _environ(self) -> dict[str, str]:
        """Return the bridge's environment: nothing of a bridge that this machine's user may have."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        settings = {
            "STATE_DIR": str(self.state_dir),
            "DATABASE_URL": self.database_url,
            **{
                f"ACCOUNTS__{hub.upper()}__BASE_URL": url
                for hub, url in self._hub_urls.items()
                if f"[accounts.{hub}]" in self._config.read_text(encoding="utf-8")
            },
            **self._settings,
        }
        return kept | {f"BRIDGE_{name}": value for name, value in settings.items()} | self.variables

    async def _ready(self, process: Process, path: Path) -> Any:
        """Return the content of a process's ready file; one that a killed process left behind does not count."""

        def look() -> Any:
            process.check()
            with suppress(OSError, json.JSONDecodeError):
                content = json.loads(path.read_text(encoding="utf-8"))
                return content if content["pid"] == process.pid else None
            return None

        return await until(look, READY_S, f"{process.name} ready")

    # --- what the bridge shows ----------------------------------------------------------------------------------------

    async def evses(self) -> list[dict[str, Any]]:
        """Return every EVSE as the bridge shows it."""
        return list((await self.ask("evses?limit=1000"))["items"])

    async def ask(self, what: str) -> Any:
        """Return what the bridge's REST interface answers, as the administrator."""
        async with self._http.get(self._rest_url(what), headers=self._token()) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def page(self, path: str) -> str:
        """Return the text of a path outside of the REST interface, as the administrator: /healthz, /metrics."""
        async with self._http.get(f"{self.web_url}{path}", headers=self._token()) as response:
            assert response.status == 200, await response.text()
            return await response.text()

    async def health(self, probe: str) -> int:
        """Return the HTTP status of livez, readyz or healthz, asked as anybody may."""
        async with self._http.get(f"{self.web_url}/{probe}") as response:
            return response.status

    async def order(self, what: str, body: Mapping[str, Any]) -> Any:
        """Return what the bridge's REST interface answers to an order, as the administrator."""
        async with self._http.post(self._rest_url(what), json=body, headers=self._token()) as response:
            assert response.status in (200, 201), await response.text()
            return await response.json()

    async def spirii(self, method: str, place: str = "", body: Any = None, **query: str) -> tuple[int, Any]:
        """Return status and body of the resource that has Spirii's contract, asked with a Bearer key of ours."""
        url = f"{self.web_url}/v2/temporary-evse-statuses{place}"
        async with self._http.request(method, url, json=body, params=query, headers=self._token()) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def document(self, *arguments: str) -> Any:
        """Run `ocpp-bridge` with --json beside the bridge, running or stopped, and return its document."""
        command, environ = self._command(*arguments, "--json"), self._environ()
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, complaints = await process.communicate()
        assert process.returncode == 0, complaints.decode()
        return json.loads(output)

    def _rest_url(self, what: str) -> str:
        return f"{self.web_url}/api/v1/{what}"

    @property
    def web_url(self) -> str:
        """Where the bridge listens for operators."""
        return f"http://127.0.0.1:{self._settings['WEB__PORT']}"

    @property
    def admin_key(self) -> str:
        """The administrator's token."""
        return (self.state_dir / "admin-token").read_text(encoding="utf-8").strip()

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    # --- what must be true --------------------------------------------------------------------------------------------

    async def assert_hub_agrees(self, hub: str, within: float = AGREE_S) -> None:
        """Wait until a hub holds what the oracle says, for every EVSE, in two looks in a row."""
        looks = 0

        async def look() -> bool:
            nonlocal looks
            self.bridge.check()
            expected = await self.fleet.expected(hub) | self._unheard(hub)
            agreement = compare(hub, expected, await self.hubs[hub].state())
            looks = looks + 1 if agreement.complete else 0
            last[:] = agreement.lines()
            return looks == 2

        last: list[str] = []
        try:
            await until(look, within, f"{hub} agrees with the fleet's own journal", every=0.1)
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *last])) from None

    def _unheard(self, hub: str) -> dict[str, str]:
        evses = [evse for spec in self.silent for evse in spec.evses]
        if hub == "hubject":
            return {evse.evse_id: HUBJECT["unknown"] for evse in evses}
        return {evse.chargeprice_key: CHARGEPRICE["unknown"] for evse in evses}

    async def assert_hubs_agree(self, within: float = AGREE_S) -> None:
        """Bring the fleet to rest, wait until both hubs agree, and check that no rule of theirs was broken."""
        await self.fleet.rest()
        for hub in HUBS:
            await self.assert_hub_agrees(hub, within)
        await self.assert_rules_kept()

    async def assert_rules_kept(self) -> None:
        """Fail where a request broke a rule of a hub's interface; parallel pushes do."""
        assert {hub: await self.hubs[hub].violations() for hub in HUBS} == {hub: [] for hub in HUBS}
