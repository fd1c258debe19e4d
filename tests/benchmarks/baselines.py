"""Measure the servers that the bridge is compared with, each in a process of its own.

Before it: `rows.status`, `rows.paced`. After it: `ocpp_server`, `websockets_server`, `rpc_server.js`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from simulators.load.options import LoadOptions
from tests.benchmarks.loader import Round, loader, one_round
from tests.benchmarks.options import Options
from tests.benchmarks.processes import ROOT, running, wait_for

OCPP, INLINE, WEBSOCKETS, RPC = "ocpp", "ocpp-inline", "websockets", "ocpp-rpc"
"""The `ocpp` package with its defaults, the same without its thread pool, a bare loop, npm's package."""
IN_PYTHON: Mapping[str, tuple[str, ...]] = {
    OCPP: (sys.executable, "-m", "tests.benchmarks.ocpp_server"),
    INLINE: (sys.executable, "-m", "tests.benchmarks.ocpp_server", "--inline"),
    WEBSOCKETS: (sys.executable, "-m", "tests.benchmarks.websockets_server"),
}
"""How those that need no node are started, but for their port file at the end."""
_LOCKED = ROOT / "tests" / "acceptance" / "ocpp_rpc"
_INSTALL_S = 120


def baselines(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return how each baseline is started, but for its port file at the end; npm's only where node can run it."""
    script = _installed(folder / "rpc")
    return dict(IN_PYTHON) if script is None else {**IN_PYTHON, RPC: ("node", str(script))}


def _installed(folder: Path) -> Path | None:
    """Install what the lock file of the acceptance tests names, and return the server's script in there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    folder.mkdir()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(_LOCKED / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    done = subprocess.run(command, cwd=folder, env=environment, timeout=_INSTALL_S, check=False, capture_output=True)
    return Path(shutil.copy(Path(__file__).with_name("rpc_server.js"), folder)) if done.returncode == 0 else None


def baseline_round(
    name: str,
    commands: Mapping[str, Sequence[str]],
    folder: Path,
    options: Options,
    *,
    seconds: float,
    warm_s: float = 1,
    rate: float = 0,
) -> Round:
    """Start a baseline, let stations report `rate` statuses a second together (0: as fast as answered), and end it."""
    port_file, log = folder / f"{name}.port", folder / f"{name}.log"
    port_file.unlink(missing_ok=True)
    with running([*commands[name], str(port_file)], log) as process:
        url = f"ws://127.0.0.1:{wait_for(port_file, log)}"
        with loader(LoadOptions(url, seed=options.seed), options.stations) as load:
            load.connect()
            load.run(warm_s, rate=rate)
            return one_round(load, process, seconds, rate=rate)
