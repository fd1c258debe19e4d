"""The unit of systemd is sound, and the bridge says to a service manager what the unit waits for."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import BIN, ROOT

UNIT = ROOT / "ops" / "systemd" / "ocpp-bridge.service"


def settings() -> dict[str, str]:
    lines = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if "=" in line and line[0] not in "#["]
    return dict(line.split("=", 1) for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_no_mistake_in_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/ocpp-bridge/bin", str(BIN)), encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_leaves_more_time_than_the_bridge_takes_to_stop_and_to_say_that_it_lives() -> None:
    unit = settings()
    assert (unit["Type"], unit["WatchdogSec"], unit["TimeoutStopSec"]) == ("notify", "60s", "20s")
    assert unit["ExecStart"] == "/opt/ocpp-bridge/bin/ocpp-bridge serve"
    assert unit["StateDirectory"] == "ocpp-bridge"


def test_the_unit_lets_the_bridge_place_its_threads_though_it_refuses_other_calls_of_that_kind() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    filters = [line.removeprefix("SystemCallFilter=") for line in lines if line.startswith("SystemCallFilter=")]
    assert filters == ["@system-service", "~@privileged @resources", "sched_setaffinity"]


async def test_the_bridge_says_when_it_is_ready_alive_and_stopping(make_site: MakeSite) -> None:
    site = make_site()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0ocpp-bridge-{site.folder}"[:100])
        manager.settimeout(10)
        site.variables |= {"NOTIFY_SOCKET": f"@{manager.getsockname()[1:].decode()}", "WATCHDOG_USEC": "600000"}
        await site.start_bridge()
        assert manager.recv(64) == b"READY=1"
        assert [manager.recv(64), manager.recv(64)] == [b"WATCHDOG=1", b"WATCHDOG=1"]
        site.bridge.signal(signal.SIGTERM)
        assert await site.bridge.ended(20) == 0
        manager.setblocking(False)
        said = []
        while not said or said[-1] != b"STOPPING=1":
            said.append(manager.recv(64))
    assert set(said[:-1]) <= {b"WATCHDOG=1"}
