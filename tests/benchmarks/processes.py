"""Run what is measured in processes of its own, and read what they use from the system.

Before it: `hubs`, `bridge`, `baselines`, `loader`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
_READY_S = 60


def environment(tree: Path) -> dict[str, str]:
    """Return the environment in which commands are those of a working tree."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(tree)}


@contextmanager
def running(command: list[str], log: Path, *, tree: Path = ROOT, end_within: float = 20) -> Iterator[psutil.Process]:
    """Run a server until the block ends, as a user's shell would: with compiled modules kept. `tree` has its code."""
    with log.open("ab") as output:
        child = subprocess.Popen(command, cwd=tree, stdout=output, stderr=subprocess.STDOUT, env=environment(tree))
    try:
        yield psutil.Process(child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(end_within)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(path: Path, log: Path, within: float = _READY_S) -> str:
    """Return the content of a file that a server writes when it is ready. Raises: RuntimeError with the log's end."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.01)
    raise RuntimeError(f"{path.name} was not written; the server's log ends with:\n{log.read_text()[-2000:]}")


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU that a process and its threads have used, user and system."""
    times = process.cpu_times()
    return float(times.user + times.system)


def thread_cpu(process: psutil.Process) -> dict[str, float]:
    """Return the CPU seconds of the event loop's thread and of each other, in the order in which they started."""
    threads = sorted(process.threads(), key=lambda thread: thread.id)
    return {
        "event loop" if thread.id == process.pid else f"thread {place}": thread.user_time + thread.system_time
        for place, thread in enumerate(threads)
    }


def memory_mib(process: psutil.Process) -> float:
    """Return the resident memory of a process."""
    return float(process.memory_info().rss) / 2**20
