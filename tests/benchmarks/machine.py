"""Say on what was measured, in one line. Before it: `__main__`."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.options import Options

_RUNS = 30
_LIBRARIES = ("ocpp", "websockets", "aiohttp", "sqlalchemy", "jsonschema-rs")


def machine(folder: Path, options: Options) -> str:
    """Return what figures depend on, besides the code."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()} (a fixed loop of Python {fastest_ms(fixed_loop):.1f} ms), "
        f"{libraries}; fsync {sync_ms(folder):.2f} ms; seed {options.seed}; "
        f"{options.rounds} rounds of {options.seconds:g} s; plain listener, compression off, "
        f"wire log {'on' if options.wire_log else 'off'}, history on, unless said; SQLite WAL, synchronous=FULL; "
        "generator and hubs on the same cores"
    )


def sync_ms(folder: Path) -> float:
    """Return the median time of an fsync of a small append on the disk of `folder`."""
    path, times = folder / "sync", []
    with path.open("wb") as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - started)
    path.unlink()
    return 1000 * statistics.median(times)


class _Counter:
    def __init__(self) -> None:
        self.seen: dict[str, int] = {}

    def add(self, word: str, number: int) -> int:
        self.seen[word] = self.seen.get(word, 0) + number
        return len(word)


def fixed_loop() -> int:
    """Do what a server's code does all day: dicts, strings, attributes, calls. Never change it: times are compared."""
    counter, length = _Counter(), 0
    for number in range(30_000):
        word = f"station-{number % 100:05d}"
        length += counter.add(word.upper() if number % 3 else word, number)
    return length + sum(counter.seen.values())


def fastest_ms(work: Callable[[], object], runs: int = _RUNS, clock: Callable[[], float] = time.process_time) -> float:
    """Return the CPU time of the fastest of several runs.

    Builds of one version of Python differ in speed, by how they were optimised, and nothing that they say of
    themselves tells it reliably. The fastest run is the one that others on the machine disturbed least; many short runs
    have a quiet one among them sooner than few long ones.
    """
    times = []
    for _ in range(runs):
        started = clock()
        work()
        times.append(clock() - started)
    return 1000 * min(times)
