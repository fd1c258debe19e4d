"""Turn the bridge's status into Prometheus metrics, at each scrape anew, beside what `meters` counted.

Never counts anything itself, and no label names an EVSE or a station: their number has no bound. Before it: `routes`,
which asked the services. Source: Prometheus text format 0.0.4 and OpenMetrics 1.0, by the scraper's choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.core.model import EvseStatus
from bridge.web.health_shapes import Status
from bridge.web.meters import Meters
from bridge.web.shapes import ListenerItem, UpstreamItem, UpstreamState
from bridge.web.task_shapes import LoopLag, TaskItem

_STATES: tuple[str, ...] = get_args(UpstreamState)
_ALARMED = "call_refused_internal"
"""Shown from the start: Prometheus sees no increase where a series begins at 1."""


class Metrics:
    """One application's metrics: of its process, and of the bridge as it is when it is scraped."""

    def __init__(self, meters: Meters | None = None) -> None:
        """`meters`: what was counted as it happened; None: nothing is."""
        self._process = CollectorRegistry()
        ProcessCollector(registry=self._process)
        self._counted = None if meters is None else meters.registry

    def render(self, status: Status | None, accept: str, ready: bool | None = None) -> tuple[bytes, str]:
        """Return the metrics and their content type, in the format that `accept` asks for.

        `status` None: it could not be read, and what it says is left out. `ready` None: not asked.
        """
        encode, content_type = choose_encoder(accept)
        return encode(_Scrape(self._process, self._counted, status, ready)), content_type


class _Scrape(Collector):
    def __init__(
        self, process: CollectorRegistry, counted: CollectorRegistry | None, status: Status | None, ready: bool | None
    ) -> None:
        self._process = process
        self._ready = ready
        self._counted = counted
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Yield every metric family."""
        yield from self._process.collect()
        if self._counted is not None:
            yield from self._counted.collect()
        if self._ready is not None:
            yield GaugeMetricFamily("ocpp_bridge_ready", "1 where /readyz answers 200.", value=float(self._ready))
        if self._status is None:
            return
        yield from _bridge(self._status)
        yield from _accounts(self._status.upstreams)
        yield _listeners(self._status.listeners)
        yield from _tasks(self._status.tasks)
        if self._status.loop_lag is not None:
            yield from _loop(self._status.loop_lag)


def _bridge(status: Status) -> Iterator[Metric]:
    build = GaugeMetricFamily("ocpp_bridge_build_info", "The release that runs; always 1.", labels=["version"])
    build.add_metric([status.version], 1)
    yield build
    yield GaugeMetricFamily("ocpp_bridge_stations", "Stations of the inventory.", value=status.stations)
    yield GaugeMetricFamily(
        "ocpp_bridge_stations_connected", "Stations that are connected now.", value=status.connected
    )
    yield GaugeMetricFamily(
        "ocpp_bridge_stations_quarantined", "Stations that the inventory does not know.", value=status.quarantined
    )
    yield GaugeMetricFamily(
        "ocpp_bridge_stations_refused",
        "Stations whose connections were refused within the last 10 minutes.",
        value=status.refused_stations,
    )
    evses = GaugeMetricFamily("ocpp_bridge_evses", "EVSEs by their effective status.", labels=["status"])
    for name in EvseStatus:
        evses.add_metric([name.value], status.effective.get(name.value, 0))
    yield evses
    counts = CounterMetricFamily(
        "ocpp_bridge_ocpp_events", "What the OCPP side counted since the start, by kind.", labels=["what"]
    )
    for what, count in sorted(({_ALARMED: 0} | status.counts).items()):
        counts.add_metric([what], count)
    yield counts


def _accounts(items: Iterable[UpstreamItem]) -> Iterator[Metric]:
    items = tuple(items)
    info = GaugeMetricFamily("ocpp_bridge_account_info", "The accounts; always 1.", labels=["account", "kind"])
    state = GaugeMetricFamily(
        "ocpp_bridge_account_state", "1 for the state that an account is in.", labels=["account", "state"]
    )
    for item in items:
        info.add_metric([item.name, item.kind], 1)
        for name in _STATES:
            state.add_metric([item.name, name], float(item.state == name))
    yield info
    yield state
    yield _gauge("backlog", "EVSEs whose value the hub has not acknowledged.", ((i.name, i.backlog) for i in items))
    yield _gauge("refused", "EVSEs that the hub refuses.", ((i.name, i.refused) for i in items))
    documents = "Documents (data, stations, companies, temporary statuses) that the hub"
    backlog = ((i.name, i.documents_backlog) for i in items)
    yield _gauge("documents_backlog", f"{documents} has not acknowledged.", backlog)
    refused = ((i.name, i.documents_refused) for i in items)
    yield _gauge("documents_refused", f"{documents} refuses.", refused)
    held = ((i.name, float(i.documents_held is not None)) for i in items)
    yield _gauge("documents_held", "1 where the account's documents are held, apart from its statuses.", held)
    lags = ((i.name, i.lag_s or 0.0) for i in items)
    yield _gauge("lag_seconds", "Age of the oldest value that is not acknowledged; 0: there is none.", lags)
    silent = ((i.name, i.silent_s or 0.0) for i in items)
    yield _gauge("silent_seconds", "Time without a push though a status was due; 0: none is.", silent)
    ends = ((i.name, i.certificate.not_after.timestamp()) for i in items if i.certificate is not None)
    yield _gauge("certificate_expiry_timestamp_seconds", "When the account's client certificate ends.", ends)


def _listeners(items: Iterable[ListenerItem]) -> Metric:
    family = GaugeMetricFamily(
        "ocpp_bridge_listener_certificate_expiry_timestamp_seconds",
        "When the first of the listener's server certificates ends.",
        labels=["listener"],
    )
    for item in items:
        if item.certificate is not None:
            family.add_metric([item.name], item.certificate.not_after.timestamp())
    return family


def _tasks(items: Iterable[TaskItem]) -> Iterator[Metric]:
    running = GaugeMetricFamily("ocpp_bridge_task_running", "1 where the task runs and does not hang.", labels=["task"])
    restarts = CounterMetricFamily(
        "ocpp_bridge_task_restarts", "How often the task was started anew, since it died or hung.", labels=["task"]
    )
    stalls = CounterMetricFamily("ocpp_bridge_task_stalls", "How often the task hung.", labels=["task"])
    for item in items:
        running.add_metric([item.name], float(item.state in ("running", "recovering")))
        restarts.add_metric([item.name], item.restarts)
        stalls.add_metric([item.name], item.stalls)
    yield from (running, restarts, stalls)


def _loop(lag: LoopLag) -> Iterator[Metric]:
    late = "How late the event loop was within the last five minutes"
    yield GaugeMetricFamily("ocpp_bridge_loop_lag_p99_seconds", f"{late}, 99 of 100 times at most.", value=lag.p99_s)
    yield GaugeMetricFamily("ocpp_bridge_loop_lag_max_seconds", f"{late} at most.", value=lag.max_s)


def _gauge(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"ocpp_bridge_{name}", text, labels=["account"])
    for account, value in values:
        family.add_metric([account], value)
    return family
