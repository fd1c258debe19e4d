"""Say on what was measured, in one line. Before it: `__main__`."""

from __future__ import annotations

import os
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from tests.benchmarks.options import Options

_LIBRARIES = ("ocpp", "websockets", "aiohttp", "sqlalchemy", "jsonschema-rs")


def machine(folder: Path, options: Options) -> str:
    """Return what figures depend on, besides the code."""
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {libraries}; fsync {sync_ms(folder):.2f} ms; seed {options.seed}; "
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
