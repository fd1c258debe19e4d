"""Measure the way of a StatusNotification, side by side: a bare server of the `ocpp` package against this bridge.

    make bench                       # or: python -m tests.benchmarks.status_path --stations 200 --seconds 8 --rounds 3

(a) is a bare server written with the `ocpp` package whose handler does nothing; (b) is this bridge with the whole
durable path and two live accounts whose lanes run at their rate limits. Each message changes its EVSE's effective
status and the word of both hubs, on a synced disk. Afterwards the stored rows must equal the answers, and both mock
hubs must hold the last values: a run that is fast and wrong ends with exit code 1. CPU is the server process's own,
user and system, all threads. Machines are shared: look at the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.load import CYCLE

KEY = "benchmark-key-0123456789"
COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
HUBJECT_WORD = {
    "Charging": "Occupied",
    "Faulted": "OutOfService",
    "Reserved": "Reserved",
    "Unavailable": "OutOfService",
}
CHARGEPRICE_WORD = {
    "Charging": "occupied",
    "Faulted": "maintainance",
    "Reserved": "reserved",
    "Unavailable": "maintainance",
}
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Measured:
    """One round against one server."""

    cpu_us: float
    """CPU microseconds of the server process per answered message."""
    per_second: float
    p50_ms: float
    p99_ms: float
    busy: float
    """CPU seconds of the server per second: 1 is one core."""


class Loader:
    """The load generator, in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, **order: Any) -> dict[str, Any]:
        """Give one order and return its answer."""
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30)


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU that a process and its threads have used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(loader: Loader, process: psutil.Process, stations: int, seconds: float) -> Measured:
    """Run one round."""
    before = cpu_seconds(process)
    answer = loader.order(do="run", stations=stations, seconds=seconds)
    used = cpu_seconds(process) - before
    return Measured(
        cpu_us=1e6 * used / answer["answered"],
        per_second=answer["answered"] / answer["seconds"],
        p50_ms=answer["p50_ms"],
        p99_ms=answer["p99_ms"],
        busy=used / answer["seconds"],
    )


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[psutil.Process]:
    """Run a server until the block ends."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(path: Path, log: Path) -> str:
    """Return the content of a file that a server writes when it is ready."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.02)
    raise SystemExit(f"{path.name} was not written; the server's log ends with:\n{log.read_text()[-2000:]}")


def bare(folder: Path, name: str, *flags: str) -> tuple[list[str], Path, Path]:
    """Return the command, port file and log of a bare server."""
    port_file = folder / f"{name}.port"
    return (
        [sys.executable, "-m", "tests.benchmarks.bare_server", str(port_file), *flags],
        port_file,
        folder / f"{name}.log",
    )


def configuration(folder: Path, hubs: Mapping[str, Any], *, wire_log: bool) -> Path:
    """Write the bridge's configuration: two live accounts, nothing else out of the ordinary."""
    path = folder / "bridge.toml"
    path.write_text(
        f"""
state_dir = "{folder / "state"}"
[log]
level = "warning"
[ocpp]
host = "127.0.0.1"
port = 0
id_tags = "accept"
messages_per_second = 0
[web]
port = 0
[wire_log]
enabled = {str(wire_log).lower()}
[accounts.hubject]
kind = "oicp"
mode = "live"
base_url = "{hubs["hubject_url"]}"
operator_id = "DE*ABC"
full_load = "never"
[accounts.chargeprice]
kind = "chargeprice"
mode = "live"
base_url = "{hubs["chargeprice_url"]}"
company_id = "{COMPANY}"
api_key = "demo-key"
[operators.bench]
name = "Benchmark"
accounts = ["hubject", "chargeprice"]
"""
    )
    return path


def inventory(folder: Path, stations: int) -> Path:
    """Write the inventory: one EVSE with one connector for each station."""
    path = folder / "stations.csv"
    lines = ["station,version,key,security,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"]
    lines += [
        f"bench-{n:05d},1.6,{KEY},1,,1,DE*ABC*E{n:05d},bench,station-{n:05d},point-{n:05d}" for n in range(stations)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def boot_all(folder: Path) -> None:
    """Mark every station as accepted, as after its first BootNotification, so that its statuses count."""
    with sqlite3.connect(folder / "state" / "bridge.db") as database:
        database.execute("UPDATE station SET accepted_at = 0")


def get(url: str) -> Any:
    """Return a JSON document."""
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


def check_hubs(hubs: Mapping[str, Any], last: Mapping[str, str]) -> list[str]:
    """Wait until both hubs hold what every station was last answered for; return what differs in the end."""
    wanted_hubject = {f"DE*ABC*E{name[-5:]}": HUBJECT_WORD[status] for name, status in last.items()}
    wanted_chargeprice = {f"station-{n[-5:]}/point-{n[-5:]}": CHARGEPRICE_WORD[s] for n, s in last.items()}
    ends = time.monotonic() + 30 + len(last) / 10
    while True:
        wrong = _differing(hubs, "hubject", wanted_hubject) + _differing(hubs, "chargeprice", wanted_chargeprice)
        if not wrong or time.monotonic() > ends:
            return wrong
        time.sleep(0.5)


def _differing(hubs: Mapping[str, Any], hub: str, wanted: Mapping[str, str]) -> list[str]:
    held = get(f"{hubs['control_url']}/{hub}/state")
    return [f"{hub} {key}: {held.get(key)} instead of {word}" for key, word in wanted.items() if held.get(key) != word]


def check_store(folder: Path, last: Mapping[str, str]) -> list[str]:
    """Compare the stored facts with what every station was last answered for."""
    with sqlite3.connect(f"file:{folder / 'state' / 'bridge.db'}?mode=ro", uri=True) as database:
        stored = dict(database.execute("SELECT station, status FROM fact WHERE ocpp_connector = 1"))
    return [f"store {n}: {stored.get(n)} instead of {status}" for n, status in last.items() if stored.get(n) != status]


def sync_ms(folder: Path) -> float:
    """Return the median time of an fsync of a small append on the disk of `folder`."""
    path, times = folder / "sync", []
    with path.open("wb") as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def measure_bare(folder: Path, name: str, options: argparse.Namespace, *flags: str) -> Callable[[], Measured]:
    """Return a round against a bare server."""

    def one_round() -> Measured:
        command, port_file, log = bare(folder, name, *flags)
        port_file.unlink(missing_ok=True)
        with running(command, log) as process:
            url = f"ws://127.0.0.1:{wait_for(port_file, log)}"
            loader = Loader()
            loader.order(do="connect", url=url, count=options.stations, key=KEY)
            loader.order(do="run", stations=options.stations, seconds=1)
            measured = measure(loader, process, options.stations, options.seconds)
            loader.close()
            return measured

    return one_round


class Bridge:
    """The bridge with two mock hubs, its stations imported and accepted."""

    def __init__(self, folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
        self._folder = folder
        ready = folder / "hubs.json"
        hubs_log, log = folder / "hubs.log", folder / "bridge.log"
        stack.enter_context(running([str(BIN / "ocpp-sim"), "hubs", "--ready-file", str(ready)], hubs_log))
        self.hubs = json.loads(wait_for(ready, hubs_log))
        config = configuration(folder, self.hubs, wire_log=options.wire_log)
        everyone = max(options.stations, options.held)
        imported = [
            str(BIN / "ocpp-bridge"),
            "inventory",
            "import",
            str(inventory(folder, everyone)),
            "--config",
            str(config),
        ]
        subprocess.run(imported, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        boot_all(folder)
        self.process = stack.enter_context(running([str(BIN / "ocpp-bridge"), "serve", "--config", str(config)], log))
        self._ports = json.loads(wait_for(folder / "state" / "ports.json", log))
        self.loader = Loader()
        stack.callback(self.loader.close)
        self.pushed: dict[str, int] = {}
        """Requests that each hub saw in measured rounds."""
        self.measured_minutes = 0.0
        self._rss_before = self.process.memory_info().rss

    def hold(self, stations: int) -> float:
        """Connect the stations and return the memory of each in KiB."""
        self.loader.order(do="connect", url=f"ws://127.0.0.1:{self._ports['ocpp']}", count=stations, key=KEY)
        return (self.process.memory_info().rss - self._rss_before) / 1024 / stations

    def one_round(self, options: argparse.Namespace) -> Measured:
        """Run one round."""
        self.loader.order(do="run", stations=options.stations, seconds=1)
        before, started = self._pushes(), time.monotonic()
        measured = measure(self.loader, self.process, options.stations, options.seconds)
        self.measured_minutes += (time.monotonic() - started) / 60
        for hub, count in self._pushes().items():
            self.pushed[hub] = self.pushed.get(hub, 0) + count - before[hub]
        return measured

    def check(self) -> list[str]:
        """Return what the store or a hub holds that is not what was answered last."""
        last = self.loader.order(do="last")
        return check_store(self._folder, last) + check_hubs(self.hubs, last)

    def _pushes(self) -> dict[str, int]:
        """Return how many requests each hub has seen."""
        return {hub: get(f"{self.hubs['control_url']}/{hub}/summary")["requests"] for hub in ("hubject", "chargeprice")}


def show(name: str, rounds: list[Measured]) -> float:
    """Print one server's row and return its median CPU per message."""
    cpu = statistics.median(each.cpu_us for each in rounds)
    spread = f"{min(each.cpu_us for each in rounds):.0f}-{max(each.cpu_us for each in rounds):.0f}"
    print(
        f"{name:<46}{cpu:>8.0f}{spread:>12}"
        f"{statistics.median(each.per_second for each in rounds):>9.0f}"
        f"{statistics.median(each.p50_ms for each in rounds):>9.1f}"
        f"{statistics.median(each.p99_ms for each in rounds):>9.1f}"
        f"{statistics.median(each.busy for each in rounds):>7.2f}"
    )
    return cpu


def main() -> int:
    """Measure, print, check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stations", type=int, default=200, help="stations that report")
    parser.add_argument("--held", type=int, default=1000, help="stations held for the memory figure")
    parser.add_argument("--seconds", type=float, default=8, help="length of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-wire-log", dest="wire_log", action="store_false", help="[wire_log] enabled = false")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build", help="where the database lies")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=options.folder))
    try:
        return _bench(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bench(options: argparse.Namespace, folder: Path) -> int:
    names = {
        "a": "(a) ocpp package, empty handler",
        "inline": "(a') the same without its thread pool",
        "b": "(b) this bridge, durable, two hubs",
    }
    with ExitStack() as stack:
        bridge = Bridge(folder, options, stack)
        memory = bridge.hold(max(options.stations, options.held))
        tasks: dict[str, Callable[[], Measured]] = {
            "a": measure_bare(folder, "bare", options),
            "inline": measure_bare(folder, "inline", options, "--inline"),
            "b": lambda: bridge.one_round(options),
        }
        rounds: dict[str, list[Measured]] = {name: [] for name in tasks}
        for _ in range(options.rounds):
            for name, task in tasks.items():
                rounds[name].append(task())
        wrong = bridge.check()
    print(_machine(folder, options))
    print(f"{'':<46}{'CPU µs':>8}{'min-max':>12}{'msg/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'cores':>7}")
    cpu = {name: show(names[name], rounds[name]) for name in tasks}
    print(f"CPU per message, (b) / (a): {cpu['b'] / cpu['a']:.2f}   (b) / (a'): {cpu['b'] / cpu['inline']:.2f}")
    print(f"held: {max(options.stations, options.held)} stations, {memory:.0f} KiB each (connections, not reports)")
    rates = ", ".join(f"{hub} {count / bridge.measured_minutes:.0f}/min" for hub, count in bridge.pushed.items())
    print(f"pushes while (b) was measured (limits 1500 and 900): {rates}")
    for line in wrong[:20]:
        print(f"WRONG: {line}")
    print("stored rows equal the answers, both hubs hold the last values" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


def _machine(folder: Path, options: argparse.Namespace) -> str:
    libraries = ", ".join(f"{name} {version(name)}" for name in ("ocpp", "websockets", "sqlalchemy"))
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {libraries}; "
        f"fsync {sync_ms(folder):.2f} ms; {options.stations} stations reporting {' → '.join(CYCLE)}, one message in "
        f"flight each, {options.rounds} rounds of {options.seconds:g} s; plain listener, no compression; SQLite WAL, "
        f"synchronous=FULL; wire log {'on' if options.wire_log else 'off'}"
    )


if __name__ == "__main__":
    sys.exit(main())
