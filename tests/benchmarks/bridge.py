"""Run the bridge as an operator would: a configuration, an imported inventory, `ocpp-bridge serve`.

Two live accounts, SQLite on a synced disk, one EVSE with one connector for each station. Stations count as accepted
from the start, as after their first BootNotification. Before it: the rows. After it: `ocpp-bridge`.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.benchmarks.hubs import Hubs
from tests.benchmarks.processes import BIN, ROOT, environment, running, wait_for

KEY = "benchmark-key-0123456789"
NAME = "bench-{:05d}"
_COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"


@dataclass(frozen=True, slots=True)
class Serving:
    """A bridge that is ready."""

    process: psutil.Process
    ports: Mapping[str, int]

    @property
    def url(self) -> str:
        """Where stations connect to."""
        return f"ws://127.0.0.1:{self.ports['ocpp']}"


class Installation:
    """A bridge's folder: configuration, store and log."""

    def __init__(
        self,
        folder: Path,
        hubs: Hubs,
        *,
        wire_log: bool = True,
        more: str = "",
        full_load: str = "never",
        tree: Path = ROOT,
    ) -> None:
        """`more` are further lines of TOML for [ocpp], and tables after it; `tree` is the code that runs."""
        self._tree = tree
        self.folder = folder
        self.state = folder / "state"
        self.log = folder / "bridge.log"
        self.config = folder / "bridge.toml"
        self.config.write_text(_configuration(self.state, hubs, wire_log=wire_log, more=more, full_load=full_load))

    def add_stations(self, count: int, version: str = "1.6") -> None:
        """Import the stations, and let them be accepted. The bridge must be stopped."""
        path = self.folder / "stations.csv"
        path.write_text(inventory(count, version))
        self.run("inventory", "import", str(path))
        with sqlite3.connect(self.database) as database:
            database.execute("UPDATE station SET accepted_at = 0")

    def run(self, *arguments: str) -> None:
        """Run another command of `ocpp-bridge`. Raises: CalledProcessError."""
        command = [str(BIN / "ocpp-bridge"), *arguments, "--config", str(self.config)]
        silent = subprocess.DEVNULL
        subprocess.run(command, cwd=self._tree, env=environment(self._tree), check=True, stdout=silent, stderr=silent)

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.state / "bridge.db"

    @contextmanager
    def serving(self) -> Iterator[Serving]:
        """Run `ocpp-bridge serve` until the block ends."""
        ports = self.state / "ports.json"
        ports.unlink(missing_ok=True)
        command = [str(BIN / "ocpp-bridge"), "serve", "--config", str(self.config)]
        with running(command, self.log, tree=self._tree) as process:
            yield Serving(process, json.loads(wait_for(ports, self.log)))

    def differing(self, last: Mapping[str, str]) -> list[str]:
        """Compare the stored facts with what every station was last answered for."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as database:
            stored = dict(database.execute("SELECT station, status FROM fact WHERE ocpp_connector = 1"))
        return [
            f"store {name}: {stored.get(name)} instead of {status}"
            for name, status in last.items()
            if stored.get(name) != status
        ]


def inventory(stations: int, version: str = "1.6") -> str:
    """Return the CSV: one EVSE with one connector for each station."""
    evse = "" if version == "1.6" else "1"
    lines = ["station,version,key,security,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"]
    lines += [
        f"{NAME.format(n)},{version},{KEY},1,{evse},1,DE*ABC*E{n:05d},bench,station-{n:05d},point-{n:05d}"
        for n in range(stations)
    ]
    return "\n".join(lines) + "\n"


def _configuration(state: Path, hubs: Hubs, *, wire_log: bool, more: str, full_load: str) -> str:
    where = "" if "[ocpp.listeners." in more else 'host = "127.0.0.1"\nport = 0'
    return f"""
state_dir = "{state}"
[log]
level = "warning"
[web]
port = 0
[wire_log]
enabled = {str(wire_log).lower()}
[accounts.hubject]
kind = "oicp"
mode = "live"
base_url = "{hubs.urls["hubject"]}"
operator_id = "DE*ABC"
full_load = "{full_load}"
[accounts.chargeprice]
kind = "chargeprice"
mode = "live"
base_url = "{hubs.urls["chargeprice"]}"
company_id = "{_COMPANY}"
api_key = "demo-key"
[operators.bench]
name = "Benchmark"
accounts = ["hubject", "chargeprice"]
[ocpp]
{where}
id_tags = "accept"
messages_per_second = 0
{more}
"""
