"""The row `paced`: its cost is compared with what the baselines cost at the same rate."""

from __future__ import annotations

from simulators.load.strain import Strain
from simulators.load.tally import Tally
from tests.benchmarks.loader import Found, Round
from tests.benchmarks.rows.paced import figures


def _cost(cpu_us: float) -> Round:
    return Round(cpu_us, per_second=1000, p50_ms=1, p99_ms=2, busy=0.2, generator_busy=0.2)


def test_cost_is_compared_with_each_baseline_and_only_the_figure_has_a_goal() -> None:
    found = Found(25, 200, 0, Tally(), Strain(5, 25, 0.2, 1, 2), ())
    seen = {figure.name: figure for figure in figures(found, 300, {"websockets": _cost(120), "ocpp": _cost(400)})}
    costs = {name: (cost.ratio, cost.reached) for name, cost in seen.items() if name.startswith("CPU")}
    assert costs == {
        "CPU per status at that rate": (None, False),
        "CPU per status at that rate, against bare websockets": (2.5, None),
        "CPU per status at that rate, against the ocpp package": (0.75, None),
    }
