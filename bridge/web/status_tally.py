"""Count statuses that are stored and how long each commit took, in plain numbers; told at every single status.

Belongs to the event loop's thread alone, which is why it needs none of the locks that the library's metrics take for
each number. Never labels by station. Before it: `meters`. After it: `metrics`, at each scrape.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 10.0)
_NAMES = tuple(map(floatToGoString, (*COMMIT_BUCKETS, float("inf"))))


class StatusTally(Collector):
    """The two metrics of statuses."""

    def __init__(self) -> None:
        self._statuses: defaultdict[str, int] = defaultdict(int)
        self._within = [0] * len(_NAMES)
        self._took_s = 0.0

    def recorded(self, version: str, took_s: float) -> None:
        """Count a status that is committed."""
        self._statuses[version] += 1
        self._within[bisect_left(COMMIT_BUCKETS, took_s)] += 1
        self._took_s += took_s

    def collect(self) -> Iterable[Metric]:
        """Yield both families."""
        statuses = CounterMetricFamily(
            "ocpp_bridge_statuses",
            "Statuses that stations reported and that are stored, by OCPP version.",
            labels=["version"],
        )
        for version, count in self._statuses.items():
            statuses.add_metric([str(version)], count)
        yield statuses
        yield HistogramMetricFamily(
            "ocpp_bridge_status_commit_seconds",
            "From a status's receipt to its commit: so long its station waits for the answer.",
            buckets=list(zip(_NAMES, accumulate(self._within), strict=True)),
            sum_value=self._took_s,
        )
