"""Ask a station for the statuses that it did not report by itself after it (re)connected.

`Plan` decides and is pure: it is told what happened and when, and says what to do next. `Resync` does it. Never
changes a station's configuration, and never asks twice at a time. Before it: `session`. After it: `commands`, and the
host's recorder for how each question ended.

Source: design.md §8; facts/hardware-and-ocpp-libraries.md §2.6 #56 to #59.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from csms.commands import Answered, CallFailed, Commands, Gone, Outcome, TimedOut
from csms.events import (
    ConnectorAddress,
    Epoch,
    OcppVersion,
    Receipt,
    ResyncEnded,
    ResyncFinished,
    ResyncOutcome,
    StationEvent,
    StationId,
)
from csms.options import ServerOptions
from csms.ports import EventRefused, NotRecorded, Superseded

STATION = ConnectorAddress(0, 0)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before this monotonic moment (None: before something happens)."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Ask:
    """Send TriggerMessage(StatusNotification) for this connector."""

    address: ConnectorAddress


@dataclass(frozen=True, slots=True)
class Conclude:
    """Record that this connector's question ended so, without sending anything."""

    address: ConnectorAddress
    outcome: ResyncOutcome


@dataclass(frozen=True, slots=True)
class Finish:
    """Record that the resync is complete."""


Step = Wait | Ask | Conclude | Finish


def askable(version: OcppVersion, address: ConnectorAddress) -> bool:
    """Tell whether TriggerMessage(StatusNotification) can name this address in this version.

    Source: OCPP 1.6 §6.51 (connectorId > 0); OCPP 2.0.1 Part 2 F06 (StatusNotification: at connector level only).
    """
    match version:
        case OcppVersion.V16:
            return address.evse == 0 and address.connector > 0
        case OcppVersion.V201:
            return address.evse > 0 and address.connector > 0
        case _:
            assert_never(version)


def trigger_payload(version: OcppVersion, address: ConnectorAddress) -> dict[str, Any]:
    """Return the TriggerMessage request that asks for this connector's status.

    Source: OCPP 1.6 §6.51 TriggerMessage.req; OCPP 2.0.1 Part 2 TriggerMessageRequest.
    """
    match version:
        case OcppVersion.V16:
            return {"requestedMessage": "StatusNotification", "connectorId": address.connector}
        case OcppVersion.V201:
            return {
                "requestedMessage": "StatusNotification",
                "evse": {"id": address.evse, "connectorId": address.connector},
            }
        case _:
            assert_never(version)


def refused(outcome: Outcome) -> bool:
    """Tell whether the station does not do TriggerMessage(StatusNotification), so that asking on is of no use.

    Source: OCPP 1.6 TriggerMessageStatus and OCPP 2.0.1 Part 2 TriggerMessageStatusEnumType: anything but
    Accepted. A timeout is no refusal: some stations answer after 60 s.
    """
    match outcome:
        case Answered(payload):
            return payload.get("status") != "Accepted"
        case CallFailed():
            return True
        case TimedOut() | Gone():
            return False
        case _:
            assert_never(outcome)


class Plan:
    """Which question is due, from what has happened on one connection; all moments are monotonic seconds."""

    def __init__(
        self,
        version: OcppVersion,
        connectors: tuple[ConnectorAddress, ...],
        options: ServerOptions,
        *,
        now: float,
        jitter: float,
        accepted: bool,
        refuses: bool,
    ) -> None:
        """Start at the connection's opening; `jitter` in [0, 1) places it within `trigger_spread`."""
        self._version = version
        self._options = options
        self._targets = tuple(address for address in connectors if address != STATION)
        self._accepted = accepted
        self._refuses = refuses
        self._connected_at = now
        self._called_at: float | None = None
        self._booted_at: float | None = None
        self._spread = jitter * options.trigger_spread.total_seconds()
        self._not_before = now
        self._setbacks = 0
        self._settled: set[ConnectorAddress] = set()
        self.finished = False
        self.round = 0
        """Counts up whenever the questions start afresh; a question of an earlier round has no outcome."""

    def called(self, now: float) -> None:
        """Note an inbound CALL; only the first one counts."""
        if self._called_at is None:
            self._called_at = now

    def booted(self, now: float) -> None:
        """Note a BootNotification: what was reported before it does not count any more."""
        self._booted_at = now
        self._start_afresh()

    def accepted(self) -> None:
        """Note that the station is accepted; before that every status it sends would be answered SecurityError."""
        self._accepted = True

    def reported(self, address: ConnectorAddress) -> None:
        """Note that a status of this address was recorded."""
        self._setbacks = 0
        self._settled.add(address)

    def has_reported(self, address: ConnectorAddress) -> bool:
        """Tell whether this address needs no question any more."""
        return address in self._settled

    def lost(self, now: float) -> None:
        """Note that storage did not take what the station said: everything must be asked again, later."""
        self._start_afresh()
        self.set_back(now)

    def again(self) -> None:
        """Start afresh where everything was asked: the station was lost and came back on the socket that it had."""
        if self.finished:
            self._start_afresh()

    def set_back(self, now: float) -> None:
        """Note that storage failed; go on after a wait that doubles each time, but only once per wait."""
        if self._setbacks and now < self._not_before:
            return
        wait = min(self._options.storage_retry * 2 ** min(self._setbacks, 16), self._options.storage_retry_max)
        self._setbacks += 1
        self._not_before = now + wait.total_seconds()

    def concluded(self, address: ConnectorAddress, outcome: ResyncOutcome) -> None:
        """Note that the end of this connector's question was recorded."""
        self._setbacks = 0
        self._settled.add(address)

    def refuse(self) -> None:
        """Note that the station refuses to be asked."""
        self._refuses = True

    def finish(self) -> None:
        """Note that the end of the resync was recorded."""
        self._setbacks = 0
        self.finished = True

    def step(self, now: float) -> Step:
        """Return what is to be done at this moment."""
        if self.finished or not self._accepted:
            return Wait(None)
        due = self._due()
        if now < due:
            return Wait(due)
        address = next((target for target in self._targets if target not in self._settled), None)
        if address is None:
            return Finish()
        if self._refuses:
            return Conclude(address, ResyncOutcome.REFUSED)
        if not askable(self._version, address):
            # The inventory names it for another OCPP version: nobody can answer.
            return Conclude(address, ResyncOutcome.TIMED_OUT)
        return Ask(address)

    def _due(self) -> float:
        options = self._options
        if self._booted_at is not None:
            settled = self._booted_at + options.settle_after_boot.total_seconds()
        elif self._called_at is not None:
            settled = self._called_at + options.settle.total_seconds()
        else:
            settled = self._connected_at + (options.first_call_wait + options.settle).total_seconds()
        return max(settled + self._spread, self._not_before)

    def _start_afresh(self) -> None:
        self._settled.clear()
        self.finished = False
        self.round += 1


class Resync:
    """Follows the plan of one connection until it is cancelled."""

    def __init__(
        self,
        plan: Plan,
        commands: Commands,
        record: Callable[[StationEvent], Awaitable[Receipt]],
        *,
        station: StationId,
        epoch: Epoch,
        version: OcppVersion,
        options: ServerOptions,
        clock: Callable[[], float],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """Use `record` as `ports.Recorder.record`, and `clock` as monotonic seconds."""
        self._plan = plan
        self._commands = commands
        self._record = record
        self._station = station
        self._epoch = epoch
        self._version = version
        self._timeout = options.trigger_timeout
        self._clock = clock
        self._log = log
        self._changed = asyncio.Event()

    def called(self) -> None:
        """Note an inbound CALL."""
        self._plan.called(self._clock())
        self._changed.set()

    def booted(self) -> None:
        """Note a recorded BootNotification."""
        self._plan.booted(self._clock())
        self._changed.set()

    def accepted(self) -> None:
        """Note that the station is accepted."""
        self._plan.accepted()
        self._changed.set()

    def reported(self, evse: int, connector: int) -> None:
        """Note a recorded status; cheap once the resync is over, for it is called at every status."""
        if not self._plan.finished:
            self._plan.reported(ConnectorAddress(evse, connector))
            self._changed.set()

    def again(self) -> None:
        """Ask for every connector again, unless that is under way."""
        self._plan.again()
        self._changed.set()

    def lost(self) -> None:
        """Note that something the station said could not be recorded."""
        self._plan.lost(self._clock())
        self._changed.set()

    async def run(self) -> None:
        """Ask what the plan says, until cancelled or until a newer connection took over."""
        try:
            while True:
                await self._do(self._plan.step(self._clock()))
        except Superseded:
            return

    async def _do(self, step: Step) -> None:
        match step:
            case Wait(until):
                await self._change(until)
            case Ask(address):
                await self._ask(address)
            case Conclude(address, outcome):
                await self._conclude(address, outcome)
            case Finish():
                if await self._recorded(ResyncFinished(self._station, self._epoch)):
                    self._plan.finish()
                    self._log.info("resync_finished")
            case _:
                assert_never(step)

    async def _ask(self, address: ConnectorAddress) -> None:
        """Ask for one connector's status; the same deadline covers the CALLRESULT and the status."""
        started_in, deadline = self._plan.round, self._clock() + self._timeout.total_seconds()
        outcome = await self._commands.call("TriggerMessage", trigger_payload(self._version, address), self._timeout)
        if isinstance(outcome, Gone):
            await self._change(None)
            return
        if refused(outcome):
            self._plan.refuse()
            self._log.info("trigger_refused", evse=address.evse, connector=address.connector)
            await self._conclude(address, ResyncOutcome.REFUSED)
            return
        while not self._plan.has_reported(address) and self._clock() < deadline:
            if self._plan.round != started_in:
                return
            await self._change(deadline)
        if self._plan.round == started_in:
            answered = self._plan.has_reported(address)
            await self._conclude(address, ResyncOutcome.ANSWERED if answered else ResyncOutcome.TIMED_OUT)

    async def _conclude(self, address: ConnectorAddress, outcome: ResyncOutcome) -> None:
        event = ResyncEnded(self._station, self._epoch, address.evse, address.connector, outcome)
        if await self._recorded(event):
            self._plan.concluded(address, outcome)

    async def _recorded(self, event: StationEvent) -> bool:
        try:
            await self._record(event)
        except NotRecorded:
            self._plan.set_back(self._clock())
            return False
        except EventRefused:
            self._log.warning("resync_event_refused", kind=type(event).__name__)
        return True

    async def _change(self, until: float | None) -> None:
        """Wait until something happened, or until the monotonic moment `until`."""
        # Nothing is awaited between the look at the plan and this line, so no wake-up is lost.
        self._changed.clear()
        try:
            async with asyncio.timeout(None if until is None else max(0.0, until - self._clock())):
                await self._changed.wait()
        except TimeoutError:
            return
