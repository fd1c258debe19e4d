from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.app.observed import Metered, ObservedRecorder, Observers
from bridge.core.model import AccountName
from bridge.lane.answered import Answered
from bridge.web.meters import Meters
from csms.events import (
    Epoch,
    OcppVersion,
    Receipt,
    ReportedStatus,
    StationBooted,
    StationConnected,
    StationEvent,
    StationId,
    StatusReported,
)
from csms.ports import NotRecorded

STATUS = StatusReported(StationId("CP1"), Epoch(1), OcppVersion.V16, 0, 1, ReportedStatus("Available"))
BOOT = StationBooted(StationId("CP1"), Epoch(1), "v", "m", "s", "1")
PUSH = Answered(
    account=AccountName("hubject"),
    kind="status",
    outcome="accepted",
    records=1,
    requests=1,
    took=timedelta(milliseconds=20),
    lags=(timedelta(seconds=2),),
    http=200,
    said=(),
)


class Recorder:
    """Records nothing; fails as it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.ears: list[StationId] = []

    async def open(self, connected: StationConnected) -> Epoch:
        return Epoch(7)

    async def record(self, event: StationEvent) -> Receipt:
        if self.failure is not None:
            raise self.failure
        return Receipt(1)

    def heard(self, station: StationId) -> None:
        self.ears.append(station)


class Noting:
    """Notes what it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.told: list[object] = []

    def recorded(self, event: StatusReported, took_s: float) -> None:
        self.told.append((event, took_s))

    def pushed(self, push: Answered) -> None:
        self.told.append(push)
        if self.failure is not None:
            raise self.failure


async def test_only_statuses_that_are_committed_are_told_with_how_long_it_took() -> None:
    moments = iter((10.0, 10.25))
    noting, inner = Noting(), Recorder()
    recorder = ObservedRecorder(inner, noting, lambda: next(moments))
    await recorder.record(STATUS)
    await recorder.record(BOOT)
    assert noting.told == [(STATUS, 0.25)]
    recorder.heard(StationId("CP1"))
    assert (inner.ears, await recorder.open(None)) == ([StationId("CP1")], 7)  # type: ignore[arg-type]


async def test_what_was_not_recorded_is_not_told() -> None:
    noting = Noting()
    with pytest.raises(NotRecorded):
        await ObservedRecorder(Recorder(NotRecorded()), noting).record(STATUS)
    assert noting.told == []


def test_an_observer_that_fails_is_told_no_more_and_the_others_go_on() -> None:
    broken, sound = Noting(RuntimeError("out of order")), Noting()
    observers = Observers([broken, sound])
    observers.pushed(PUSH)
    observers.pushed(PUSH)
    assert (len(broken.told), len(sound.told)) == (1, 2)


def test_a_push_is_counted_with_its_lag() -> None:
    meters = Meters(["hubject"], lambda: 0.0)
    Metered(meters).pushed(PUSH)
    assert meters.registry.get_sample_value("ocpp_bridge_status_to_hub_seconds_sum", {"account": "hubject"}) == 2.0
