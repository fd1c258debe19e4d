"""What a status costs and how long its answer takes at 1,000 a second, spread evenly over the stations.

Answer times count from when a message was due. It lasts over several checkpoints of the store, and says when the
longest answers were. The baselines get the same rate from the same generator, before the bridge and after it: a server
that is mostly idle pays more for a message than one at saturation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from simulators.load.options import LoadOptions
from simulators.load.tally import Tally
from tests.benchmarks.baselines import IN_PYTHON, OCPP, WEBSOCKETS, baseline_round
from tests.benchmarks.bridge import Installation
from tests.benchmarks.figures import Figure, Goal, Report
from tests.benchmarks.hubs import mock_hubs
from tests.benchmarks.loader import Found, Round, loader, median, spread
from tests.benchmarks.options import Options
from tests.benchmarks.processes import cpu_seconds

_RATE = 1000
_SECONDS = 25
_WARM_S = 3
_BASELINES = (WEBSOCKETS, OCPP)
_BASELINE_S = 10
_BASELINE_WARM_S = 2
_WORST_SHOWN = 8


def measure(options: Options, folder: Path) -> Report:
    """Measure the bridge between two rounds of each baseline."""
    before = _baselines(options, folder)
    found, cpu_us, wrong = _bridge(options, folder)
    after = _baselines(options, folder)
    rounds = {name: (before[name], after[name]) for name in _BASELINES}
    spreads = (spread(name, each) for name, each in rounds.items())
    return Report(
        figures(found, cpu_us, {name: median(each) for name, each in rounds.items()}),
        (_stalls(found.tally), _generator(found), *spreads),
        (*wrong, *found.failures),
    )


def _baselines(options: Options, folder: Path) -> dict[str, Round]:
    return {
        name: baseline_round(name, IN_PYTHON, folder, options, seconds=_BASELINE_S, warm_s=_BASELINE_WARM_S, rate=_RATE)
        for name in _BASELINES
    }


def _bridge(options: Options, folder: Path) -> tuple[Found, float, list[str]]:
    """Measure for 25 s, then compare store and hubs with what stations were answered."""
    with mock_hubs(folder, seed=options.seed) as hubs:
        installation = Installation(folder, hubs, wire_log=options.wire_log)
        installation.add_stations(options.stations)
        with (
            installation.serving() as bridge,
            loader(LoadOptions(bridge.url, seed=options.seed), options.stations) as load,
        ):
            load.connect()
            load.run(_WARM_S, rate=_RATE)
            before = cpu_seconds(bridge.process)
            found = load.run(_SECONDS, rate=_RATE)
            cpu_us = 1e6 * (cpu_seconds(bridge.process) - before) / found.tally.answered
            last = load.last()
            wrong = installation.differing(last) + hubs.agree(last, within=30 + len(last) / 10)
    return found, cpu_us, wrong


def figures(found: Found, cpu_us: float, baselines: Mapping[str, Round]) -> tuple[Figure, ...]:
    """Return what the bridge cost and took, beside what each baseline cost at the same rate."""
    loop, package = baselines[WEBSOCKETS].cpu_us, baselines[OCPP].cpu_us
    answers = found.tally.answers
    return (
        Figure("statuses a second, durable", found.tally.statuses / found.seconds, "/s"),
        Figure("CPU per status at that rate", cpu_us, "µs", Goal(250)),
        Figure("CPU per status at that rate, against bare websockets", cpu_us, "µs", None, loop),
        Figure("CPU per status at that rate, against the ocpp package", cpu_us, "µs", None, package),
        Figure("answer time p50", answers.percentile(50) or 0.0, "ms", Goal(10)),
        Figure("answer time p99", answers.percentile(99) or 0.0, "ms", Goal(50)),
        Figure("answer time, longest", answers.longest, "ms"),
    )


def _stalls(tally: Tally) -> str:
    worst = sorted(tally.worst.items(), key=lambda one: one[1], reverse=True)[:_WORST_SHOWN]
    return "longest answers: " + ", ".join(f"second {second}: {ms:.0f} ms" for second, ms in worst)


def _generator(found: Found) -> str:
    strain = found.strain
    return f"generator: busiest second {strain.busiest:.2f} of a core, late by {strain.late_p99_ms:.0f} ms (p99)"
