"""`ocpp-sim demo`, as `make demo DEMO_SECONDS=…` runs it: it succeeds with this bridge, and fails with a broken one."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

from simulators.fleet.layout import layout
from tests.acceptance.controls import HUBS
from tests.acceptance.harness import BIN
from tests.acceptance.processes import Processes

SECONDS = 12
ENDS_WITHIN_S = 60.0
STATIONS, SEED = 24, 7
EVSES = sum(len(spec.evses) for spec in layout(STATIONS, SEED))
BROKEN = Path(__file__).with_name("always_available.py")


async def demo(processes: Processes, name: str, *more: str) -> tuple[int, list[str]]:
    """Return the demo's exit code and what it says of each hub."""
    data = processes.folder / f"{name} data"
    size = ("--stations", str(STATIONS), "--seed", str(SEED))
    arguments = [str(BIN / "ocpp-sim"), "demo", "--data", str(data), "--seconds", str(SECONDS), *size, *more]
    code = await processes.run(name, arguments, os.environ, ENDS_WITHIN_S)
    said = (processes.folder / f"{name}.log").read_text(encoding="utf-8")
    return code, re.findall(r"^hubs agree: .*$|^  \S+: \S+ should be .*$", said, re.MULTILINE)


async def test_the_demo_succeeds_and_fails_where_the_bridge_says_available_of_every_evse(processes: Processes) -> None:
    command = shlex.join([sys.executable, str(BROKEN)])
    # Both at once, beside each other, as neither minds: it takes half of the time.
    (code, agreed), (broken_code, disagreed) = await asyncio.gather(
        demo(processes, "demo", "--patience", "20"),
        demo(processes, "broken-demo", "--bridge-command", command, "--patience", "20"),
    )
    assert agreed == [f"hubs agree: {EVSES}/{EVSES} EVSEs ({hub})" for hub in HUBS]
    assert code == 0
    assert not any(f" {EVSES}/{EVSES} " in verdict for verdict in disagreed)
    for wrong in ("should be Occupied, the hub holds Available", "should be occupied, the hub holds available"):
        assert any(wrong in line for line in disagreed)
    assert broken_code == 1
