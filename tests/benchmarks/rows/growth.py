"""Whether a status and a station cost the same among 10,000 stations as among 100.

What held stations cost, by their pings and heartbeats, is measured first, while nothing changes. Then all of them
report at the same rate of all together, spread over all of them, while lanes run at their rate limits. What a status
costs is shown with what holding the stations takes, and without; the latter is a little too low, since pings cost less
in a process that is busy anyway. Both times last one interval of pings: stations that connected together are pinged
together. Memory per station is what the process grew by, with one report of each. Among 100 that and what holding takes
are mostly what the process needs once, so both are compared with those among 1,000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulators.load.options import LoadOptions
from tests.benchmarks.cohort import used_for_a_day
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.loader import loader
from tests.benchmarks.options import Options
from tests.benchmarks.processes import cpu_seconds, memory_mib

_RATE = 1000
_PINGS_S = 50
"""The interval of pings, which is the default of the product."""
_HEARTBEAT_S = 300
_SETTLED_S = 100
"""After the last station has connected: its resync is over, which for one that has not booted ends after 90 s."""
_WARM_S = 3
_FLAT = Goal(1.2, of_ratio=True)


@dataclass(frozen=True, slots=True)
class _Size:
    stations: int
    cpu_us: float
    """Per status, with what held stations cost."""
    without_us: float
    """The same without that."""
    held_us: float
    """CPU of a held station in a second."""
    memory_kib: float
    """Per station."""
    connect_s: float
    wrong: tuple[str, ...]


def measure(options: Options, folder: Path) -> Report:
    """Measure each size with a bridge of its own."""
    counts = sorted({max(options.many // 100, 1), max(options.many // 10, 1), options.many})
    sizes = [_measure(options, folder / str(stations), stations) for stations in counts]
    wrong = tuple(line for size in sizes for line in size.wrong)
    return Report(_figures(sizes), tuple(map(_shown, sizes)), wrong)


def _measure(options: Options, folder: Path, stations: int) -> _Size:
    folder.mkdir()
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = used_for_a_day(folder, hubs, stations, wire_log=options.wire_log)
        with (
            installation.serving() as bridge,
            loader(LoadOptions(bridge.url, seed=options.seed, heartbeat_s=_HEARTBEAT_S), stations) as load,
        ):
            before = memory_mib(bridge.process)
            connecting = load.connect()
            load.hold(_SETTLED_S)
            started = cpu_seconds(bridge.process)
            load.hold(_PINGS_S)
            held = cpu_seconds(bridge.process) - started
            load.run(max(stations / _RATE, _WARM_S), rate=_RATE)
            grown = memory_mib(bridge.process) - before
            started = cpu_seconds(bridge.process)
            found = load.run(_PINGS_S, rate=_RATE)
            used = cpu_seconds(bridge.process) - started
            wrong = (*installation.differing(load.last()), *found.failures)
    answered = found.tally.answered
    return _Size(
        stations,
        cpu_us=1e6 * used / answered,
        without_us=1e6 * (used - held * found.seconds / _PINGS_S) / answered,
        held_us=1e6 * held / _PINGS_S / stations,
        memory_kib=1024 * grown / stations,
        connect_s=connecting.seconds,
        wrong=wrong,
    )


def _figures(sizes: Sequence[_Size]) -> tuple[Figure, ...]:
    return (
        *_flat("CPU per status", "µs", [(size.stations, size.cpu_us) for size in sizes]),
        *_flat("without held stations", "µs", [(size.stations, size.without_us) for size in sizes], goal=None),
        *_flat("CPU of a held station in a second", "µs", [(size.stations, size.held_us) for size in sizes[1:]]),
        *_flat("memory per station", "KiB", [(size.stations, size.memory_kib) for size in sizes[1:]]),
    )


def _flat(name: str, unit: str, seen: Sequence[tuple[int, float]], goal: Goal | None = _FLAT) -> list[Figure]:
    (first, baseline), *others = seen
    return [
        Figure(f"{name}, {first:,} stations", baseline, unit),
        *(Figure(f"{name}, {stations:,} stations", value, unit, goal, baseline) for stations, value in others),
    ]


def _shown(size: _Size) -> str:
    return f"{size.stations:,} stations were connected in {size.connect_s:.1f} s"
