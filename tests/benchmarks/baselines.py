"""Measure the servers that the bridge is compared with, each in a process of its own.

Before it: `rows.status`. After it: `ocpp_server`, `websockets_server`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from simulators.load.options import LoadOptions
from tests.benchmarks.loader import Round, loader, one_round
from tests.benchmarks.processes import running, wait_for

BASELINES = {
    "ocpp": ("tests.benchmarks.ocpp_server",),
    "ocpp-inline": ("tests.benchmarks.ocpp_server", "--inline"),
    "websockets": ("tests.benchmarks.websockets_server",),
}
"""By name: the `ocpp` package with its defaults, the same without its thread pool, a bare loop."""


def baseline_round(name: str, folder: Path, stations: int, seconds: float) -> Round:
    """Start a baseline, let stations report, and end it."""
    module, *flags = BASELINES[name]
    port_file, log = folder / f"{name}.port", folder / f"{name}.log"
    port_file.unlink(missing_ok=True)
    with running([sys.executable, "-m", module, str(port_file), *flags], log) as process:
        url = f"ws://127.0.0.1:{wait_for(port_file, log)}"
        with loader(LoadOptions(url), stations) as load:
            load.connect()
            load.run(1)
            return one_round(load, process, seconds)
