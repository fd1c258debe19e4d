"""What a changed status costs at saturation: the bridge beside servers that do nothing with it.

200 stations have one StatusNotification in flight each. Each changes its EVSE's effective status and the word of both
hubs, whose lanes run at their rate limits. Servers take turns, round by round; figures are medians. CPU is the server
process's own, user and system, all threads.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from simulators.load.options import LoadOptions
from tests.benchmarks.baselines import INLINE, OCPP, RPC, WEBSOCKETS, baseline_round, baselines
from tests.benchmarks.bridge import Installation, Serving
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import Hubs, mock_hubs
from tests.benchmarks.loader import Loader, Round, loader, median, one_round, spread
from tests.benchmarks.options import Options
from tests.benchmarks.processes import thread_cpu

_BRIDGE = "bridge"
_LIMITS = {"hubject": 1500, "chargeprice": 900}
"""Requests a minute that each account may send."""


def measure(options: Options, folder: Path) -> Report:
    """Measure in rounds, then compare store and hubs with what stations were answered."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = Installation(folder, hubs, wire_log=options.wire_log)
        installation.add_stations(options.stations)
        with (
            installation.serving() as bridge,
            loader(LoadOptions(bridge.url, seed=options.seed), options.stations) as load,
        ):
            load.connect()
            watched = _Watched(bridge, hubs, load, options)
            rounds = _rounds(watched, options, folder)
            last = load.last()
            wrong = installation.differing(last) + hubs.agree(last, within=30 + len(last) / 10)
    medians = {name: median(each) for name, each in rounds.items()}
    spreads = (spread(name, each) for name, each in rounds.items())
    return Report(_figures(medians), (watched.by_thread(), watched.pushes(), *spreads), (*wrong,))


def _rounds(watched: _Watched, options: Options, folder: Path) -> dict[str, list[Round]]:
    commands = baselines(folder)
    rounds: dict[str, list[Round]] = {name: [] for name in (*commands, _BRIDGE)}
    for _ in range(options.rounds):
        for name in commands:
            rounds[name].append(baseline_round(name, commands, folder, options, seconds=options.seconds))
        rounds[_BRIDGE].append(watched.one_round())
    return rounds


class _Watched:
    """The bridge's rounds: what each thread used, and what hubs were sent meanwhile."""

    def __init__(self, bridge: Serving, hubs: Hubs, load: Loader, options: Options) -> None:
        self._bridge, self._hubs, self._load, self._options = bridge, hubs, load, options
        self._messages = 0.0
        self._minutes = 0.0
        self._cpu: dict[str, float] = {}
        self._pushed: dict[str, float] = {}

    def one_round(self) -> Round:
        """Warm up, then measure."""
        self._load.run(1)
        cpu, pushed, started = thread_cpu(self._bridge.process), self._hubs.requests(), time.monotonic()
        found = one_round(self._load, self._bridge.process, self._options.seconds)
        self._minutes += (time.monotonic() - started) / 60
        self._messages += found.per_second * self._options.seconds
        _add(self._cpu, thread_cpu(self._bridge.process), cpu)
        _add(self._pushed, self._hubs.requests(), pushed)
        return found

    def by_thread(self) -> str:
        """Say where a status's CPU was used."""
        shares = sorted(((1e6 * used / self._messages, name) for name, used in self._cpu.items()), reverse=True)
        listed = ", ".join(f"{name} {share:.0f}" for share, name in shares if share >= 0.5)
        return f"CPU µs per status by thread of the bridge: {listed}"

    def pushes(self) -> str:
        """Say how far the lanes were from their limits."""
        listed = ", ".join(f"{hub} {n / self._minutes:.0f} of {_LIMITS[hub]}" for hub, n in self._pushed.items())
        return f"pushes a minute meanwhile: {listed}"


def _add(sums: dict[str, float], after: Mapping[str, float], before: Mapping[str, float]) -> None:
    for name, value in after.items():
        sums[name] = sums.get(name, 0.0) + value - before.get(name, 0.0)


def _figures(medians: Mapping[str, Round]) -> tuple[Figure, ...]:
    bridge, package = medians[_BRIDGE], medians[OCPP]
    cpu, half, loop = bridge.cpu_us, Goal(0.5, of_ratio=True), Goal(2.2, of_ratio=True)
    twice = Goal(2, at_least=True, of_ratio=True)
    found = (
        Figure("CPU per status, against the ocpp package", cpu, "µs", half, package.cpu_us),
        Figure("the same without its thread pool", cpu, "µs", None, medians[INLINE].cpu_us),
        Figure("CPU per status, against bare websockets", cpu, "µs", loop, medians[WEBSOCKETS].cpu_us),
        Figure("statuses/s, against the ocpp package", bridge.per_second, "/s", twice, package.per_second),
    )
    if RPC not in medians:
        return found
    return (*found, Figure("CPU per status, against npm's ocpp-rpc", cpu, "µs", None, medians[RPC].cpu_us))
