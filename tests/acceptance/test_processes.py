"""What tests start ends with them, also where the process that runs the tests is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.harness import ROOT
from tests.acceptance.processes import until

_STARTS_ONE = """
import os, pathlib, sys, time
from tests.acceptance.processes import Processes

processes = Processes(pathlib.Path(sys.argv[1]))
print(processes.start("sleeping", ["sleep", "300"], dict(os.environ)).pid, flush=True)
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is the kernel's, of Linux alone")
async def test_what_a_test_started_ends_where_pytest_is_killed(tmp_path: Path) -> None:
    with _parent(tmp_path) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            await until(lambda: _command(child).startswith("sleep"), 10, "the program in the leash's place")
            parent.kill()
            await until(lambda: not _command(child), 10, "the end of what was started")
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def _parent(folder: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", _STARTS_ONE, str(folder)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _command(pid: int) -> str:
    """Return the command line of a process; empty where it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""
