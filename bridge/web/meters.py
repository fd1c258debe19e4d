"""Count what only whoever is there when it happens can count: pushes to hubs, statuses and how long each takes.

Never labels by EVSE or station: their number has no bound. Called on the event loop, and never waits. Before it:
`bridge.app`, which is told of each. After it: `metrics`, which shows it beside the bridge's state.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from bridge.web.status_tally import StatusTally

disable_created_metrics()  # type: ignore[no-untyped-call]  # they would add as many series again, and tell what process_start_time_seconds tells

LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
REQUEST_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
REFUSALS = ("no_key", "wrong_key", "throttled", "foreign_page")
"""Why a request was not let in; foreign_page: another site may have made a browser send it."""
OUTCOMES = ("accepted", "deferred", "refused", "wrong_action", "held", "in_doubt")
_MINUTE_S = 60.0
_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account was sent lately."""

    last_minute: int
    """Requests."""
    accepted_last_hour: int
    """Pushes."""
    failed_last_hour: int


@dataclass(slots=True)
class _Lately:
    requests: deque[tuple[float, int]] = field(default_factory=deque)
    """When, and how many; of the last minute."""
    minutes: deque[tuple[int, int, int]] = field(default_factory=deque)
    """Minute, accepted pushes, others; of the last hour."""


class Meters:
    """One process's counters and histograms."""

    def __init__(self, accounts: Iterable[str], elapsed: Callable[[], float]) -> None:
        """`accounts`: those of the configuration; every series begins at 0. `elapsed`: a clock that never steps (s)."""
        self.registry = CollectorRegistry()
        self._elapsed = elapsed
        self._lately: dict[str, _Lately] = defaultdict(_Lately)
        self._lag = Histogram(
            "ocpp_bridge_status_to_hub_seconds",
            "From when a hub did not have an EVSE's status to when it accepted it.",
            ["account"],
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._took = Histogram(
            "ocpp_bridge_push_seconds",
            "How long a push to a hub took, whatever its outcome.",
            ["account"],
            buckets=REQUEST_BUCKETS,
            registry=self.registry,
        )
        self._pushes = Counter(
            "ocpp_bridge_pushes",
            "Pushes to hubs (an HTTP request each, seldom more), by outcome.",
            ["account", "outcome"],
            registry=self.registry,
        )
        self._records = Counter(
            "ocpp_bridge_push_records", "Records that hubs accepted.", ["account"], registry=self.registry
        )
        statuses = StatusTally()
        self.registry.register(statuses)
        self.recorded = statuses.recorded
        """Counts a status that is committed: its version's name, and how long that took in seconds."""
        self._refused = Counter(
            "ocpp_bridge_web_refused",
            "Requests of operators and programs that were not let in, by why.",
            ["why"],
            registry=self.registry,
        )
        self._streams = Gauge(
            "ocpp_bridge_event_streams", "Clients that are told events as they come.", registry=self.registry
        )
        for why in REFUSALS:
            self._refused.labels(why)
        for account in accounts:
            for metric in (self._lag, self._took, self._records):
                metric.labels(account)
            for outcome in OUTCOMES:
                self._pushes.labels(account, outcome)

    def pushed(
        self, account: str, outcome: str, *, records: int, requests: int, took_s: float, lags_s: Sequence[float]
    ) -> None:
        """Count a push that has ended; `lags_s` as in `lane.answered.Answered`, in seconds."""
        accepted = outcome == "accepted"
        self._took.labels(account).observe(took_s)
        self._pushes.labels(account, outcome).inc()
        if accepted:
            self._records.labels(account).inc(records)
        lag = self._lag.labels(account)
        for seconds in lags_s:
            lag.observe(seconds)
        self._remember(account, requests, accepted)

    def refused(self, why: str) -> None:
        """Count a request that was not let in; `why`: one of REFUSALS."""
        self._refused.labels(why).inc()

    def streaming(self, clients: int) -> None:
        """Note how many clients are told events now."""
        self._streams.set(clients)

    def usage(self, account: str) -> Usage:
        """Return what an account was sent lately, by this process."""
        lately, now = self._lately[account], self._elapsed()
        _forget(lately, now)
        return Usage(
            last_minute=sum(count for _, count in lately.requests),
            accepted_last_hour=sum(accepted for _, accepted, _ in lately.minutes),
            failed_last_hour=sum(failed for _, _, failed in lately.minutes),
        )

    def _remember(self, account: str, requests: int, accepted: bool) -> None:
        lately, now = self._lately[account], self._elapsed()
        _forget(lately, now)
        lately.requests.append((now, requests))
        minute = int(now // _MINUTE_S)
        if not lately.minutes or lately.minutes[-1][0] != minute:
            lately.minutes.append((minute, 0, 0))
        _, good, bad = lately.minutes[-1]
        lately.minutes[-1] = (minute, good + accepted, bad + (not accepted))


def _forget(lately: _Lately, now: float) -> None:
    while lately.requests and lately.requests[0][0] <= now - _MINUTE_S:
        lately.requests.popleft()
    while lately.minutes and lately.minutes[0][0] <= int(now // _MINUTE_S) - _MINUTES:
        lately.minutes.popleft()
