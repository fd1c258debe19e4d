"""Tell metrics, and traces where they are configured, of each status that is recorded and each push that has ended.

Never changes what happens: an observer that fails is logged once and told no more. Before it: `intake` and the lanes.
After it: `web.meters`, `tracing`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from bridge.lane.answered import Answered
from bridge.web.meters import Meters
from csms.events import Epoch, Receipt, StationConnected, StationEvent, StatusReported
from csms.ports import Recorder

log = structlog.get_logger(__name__)


class Observer(Protocol):
    """Is told on the event loop, and returns at once."""

    def recorded(self, event: StatusReported, took_s: float) -> None:
        """Note a status that is committed, so many seconds after its receipt."""
        ...

    def pushed(self, push: Answered) -> None:
        """Note a push that has just ended."""
        ...


class Metered:
    """Counts into the metrics."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def recorded(self, event: StatusReported, took_s: float) -> None:
        """Count a status."""
        self._meters.recorded(event.version, took_s)

    def pushed(self, push: Answered) -> None:
        """Count a push."""
        self._meters.pushed(
            push.account,
            push.outcome,
            records=push.records,
            requests=push.requests,
            took_s=push.took.total_seconds(),
            lags_s=[lag.total_seconds() for lag in push.lags],
        )


class Observers:
    """Passes on to each; one that fails is left out from then on."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def recorded(self, event: StatusReported, took_s: float) -> None:
        """Pass on a status that is committed."""
        for observer in self._observers:
            try:
                observer.recorded(event, took_s)
            except Exception:  # noqa: BLE001 - whatever is wrong with an observer is no matter of what it observes
                self._leave_out(observer)

    def pushed(self, push: Answered) -> None:
        """Pass on a push that has ended."""
        for observer in self._observers:
            try:
                observer.pushed(push)
            except Exception:  # noqa: BLE001 - whatever is wrong with an observer is no matter of what it observes
                self._leave_out(observer)

    def _leave_out(self, failed: Observer) -> None:
        self._observers = tuple(observer for observer in self._observers if observer is not failed)
        log.exception("observer_failed", observer=type(failed).__name__)


class ObservedRecorder:
    """Records as another recorder does, and tells of each status that it has committed."""

    def __init__(
        self, recorder: Recorder, observer: Observer, elapsed: Callable[[], float] = time.perf_counter
    ) -> None:
        """`elapsed`: a clock that never steps, in seconds."""
        self._recorder = recorder
        self._observer = observer
        self._elapsed = elapsed
        self.heard = recorder.heard

    async def open(self, connected: StationConnected) -> Epoch:
        """Record a new connection. Raises: NotRecorded."""
        return await self._recorder.open(connected)

    async def record(self, event: StationEvent) -> Receipt:
        """Commit the event. Raises: NotRecorded, EventRefused, Superseded."""
        if not isinstance(event, StatusReported):
            return await self._recorder.record(event)
        began = self._elapsed()
        receipt = await self._recorder.record(event)
        self._observer.recorded(event, self._elapsed() - began)
        return receipt
