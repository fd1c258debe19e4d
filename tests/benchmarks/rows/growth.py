"""Whether a status and a station cost the same among 10,000 stations as among 100.

The same rate of all together, spread over all of them, after each has reported once; lanes run at their rate limits
meanwhile. Memory per station is what the process grew by, with one report of each; among 100 it is mostly what the
process needs once, so it is compared with that among 1,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.load.options import LoadOptions
from tests.benchmarks.bridge import Installation
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.loader import loader
from tests.benchmarks.options import Options
from tests.benchmarks.processes import cpu_seconds, memory_mib

_RATE = 1000
_SECONDS = 12
_WARM_S = 3
_FLAT = Goal(1.2, of_ratio=True)


@dataclass(frozen=True, slots=True)
class _Size:
    stations: int
    cpu_us: float
    """Per status."""
    memory_kib: float
    """Per station."""
    connect_s: float
    wrong: tuple[str, ...]


def measure(options: Options, folder: Path) -> Report:
    """Measure each size with a bridge of its own."""
    counts = sorted({max(options.many // 100, 1), max(options.many // 10, 1), options.many})
    sizes = [_measure(options, folder / str(stations), stations) for stations in counts]
    wrong = tuple(line for size in sizes for line in size.wrong)
    return Report((*_per_status(sizes), *_per_station(sizes[1:])), tuple(map(_shown, sizes)), wrong)


def _measure(options: Options, folder: Path, stations: int) -> _Size:
    folder.mkdir()
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = Installation(folder, hubs, wire_log=options.wire_log)
        installation.add_stations(stations)
        with (
            installation.serving() as bridge,
            loader(LoadOptions(bridge.url, seed=options.seed), stations) as load,
        ):
            before = memory_mib(bridge.process)
            connecting = load.connect()
            load.run(max(stations / _RATE, _WARM_S), rate=_RATE)
            grown = memory_mib(bridge.process) - before
            cpu = cpu_seconds(bridge.process)
            found = load.run(_SECONDS, rate=_RATE)
            used = cpu_seconds(bridge.process) - cpu
            wrong = (*installation.differing(load.last()), *found.failures)
    return _Size(stations, 1e6 * used / found.tally.answered, 1024 * grown / stations, connecting.seconds, wrong)


def _per_status(sizes: Sequence[_Size]) -> list[Figure]:
    first, *others = sizes
    return [
        Figure(_name("CPU per status", first), first.cpu_us, "µs"),
        *(Figure(_name("CPU per status", size), size.cpu_us, "µs", _FLAT, first.cpu_us) for size in others),
    ]


def _per_station(sizes: Sequence[_Size]) -> list[Figure]:
    first, *others = sizes
    return [
        Figure(_name("memory per station", first), first.memory_kib, "KiB"),
        *(
            Figure(_name("memory per station", size), size.memory_kib, "KiB", _FLAT, first.memory_kib)
            for size in others
        ),
    ]


def _name(figure: str, size: _Size) -> str:
    return f"{figure}, {size.stations:,} stations"


def _shown(size: _Size) -> str:
    return f"{size.stations:,} stations were connected in {size.connect_s:.1f} s"
