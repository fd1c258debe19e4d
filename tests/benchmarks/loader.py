"""Drive the load generator, in a process of its own, and measure a server meanwhile.

Before it: the rows. After it: `load`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from tests.benchmarks.processes import ROOT, cpu_seconds


class Loader:
    """The load generator. Orders are one line of JSON each, and so are its answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def connect(self, url: str, count: int, key: str) -> dict[str, Any]:
        """Connect so many further stations."""
        return self._order(do="connect", url=url, count=count, key=key)

    def run(self, stations: int, seconds: float) -> dict[str, Any]:
        """Let the first stations report as fast as they are answered, one message in flight each."""
        return self._order(do="run", stations=stations, seconds=seconds)

    def last(self) -> dict[str, str]:
        """Return the last status that each station was answered for."""
        return self._order(do="last")

    def _order(self, **order: Any) -> dict[str, Any]:
        if self._process.stdin is None or self._process.stdout is None:
            raise AssertionError("both are pipes")
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended early")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def loader() -> Iterator[Loader]:
    """Run the load generator until the block ends."""
    command = [sys.executable, "-m", "tests.benchmarks.load"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Loader(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(30)


@dataclass(frozen=True, slots=True)
class Round:
    """One round against one server."""

    cpu_us: float
    """CPU microseconds of the server process per answered message."""
    per_second: float
    p50_ms: float
    p99_ms: float
    busy: float
    """CPU seconds of the server per second: 1 is one core."""


def one_round(load: Loader, server: psutil.Process, stations: int, seconds: float) -> Round:
    """Let stations report for so long, and return what a message cost the server."""
    before = cpu_seconds(server)
    answer = load.run(stations, seconds)
    used = cpu_seconds(server) - before
    return Round(
        cpu_us=1e6 * used / answer["answered"],
        per_second=answer["answered"] / answer["seconds"],
        p50_ms=answer["p50_ms"],
        p99_ms=answer["p99_ms"],
        busy=used / answer["seconds"],
    )


def median(rounds: Sequence[Round]) -> Round:
    """Return each figure's median."""
    return Round(
        *(
            statistics.median(getattr(one, name) for one in rounds)
            for name in ("cpu_us", "per_second", "p50_ms", "p99_ms", "busy")
        )
    )
