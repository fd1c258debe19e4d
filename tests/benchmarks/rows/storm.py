"""How long it takes until 10,000 stations, cut at once, have returned, booted, and said their status again.

They come from 500 sites with an address each, all at the same moment, and try again after a second where they are
refused. Nothing has changed, so nothing may be pushed: each request that a hub sees meanwhile is an error.
"""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.cohort import cohort, used_for_a_day
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.options import Options
from tests.benchmarks.processes import cpu_seconds, memory_mib

_RETRY_S = 1.0


def measure(options: Options, folder: Path) -> Report:
    """Connect everybody, then let them storm once for each round."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = used_for_a_day(folder, hubs, options.many, wire_log=options.wire_log)
        with installation.serving() as bridge, cohort() as crowd:
            crowd.connect(bridge, options.many)
            crowd.report("Charging")
            pushed, began = hubs.requests(), cpu_seconds(bridge.process)
            storms = [crowd.storm(_RETRY_S) for _ in range(options.rounds)]
            used, mib = cpu_seconds(bridge.process) - began, memory_mib(bridge.process)
            wrong = [
                f"{hub}: {count - pushed[hub]} requests though nothing had changed"
                for hub, count in hubs.requests().items()
                if count != pushed[hub]
            ]
            wrong += installation.differing(crowd.last())
            if (there := crowd.connected()) != options.many:
                wrong.append(f"{there} stations are connected in the end")
    slowest = max(storm["seconds"] for storm in storms)
    each = ", ".join(
        f"{storm['seconds']:.1f} s (half of them after {storm['p50_ms'] / 1000:.1f} s, {storm['refused']} refused)"
        for storm in storms
    )
    return Report(
        (
            Figure(f"last status of {options.many:,} answered, slowest storm", slowest, "s", Goal(30)),
            Figure("CPU per returning station", 1e3 * used / options.rounds / options.many, "ms"),
            Figure("memory after the storms", mib, "MiB"),
        ),
        (f"storms: {each}",),
        (*wrong,),
    )
