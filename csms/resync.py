"""Ask a station for the statuses that it did not report by itself after it (re)connected.

Does what `resync_plan` decides. Never changes a station's configuration, and never asks twice at a time. Before it:
`session`. After it: `commands`, and the host's recorder for how each question ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import assert_never

import structlog

from csms.commands import Commands, Gone
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
    StatusReported,
)
from csms.options import ServerOptions
from csms.ports import EventRefused, NotRecorded, Superseded
from csms.quirk_settings import QuirkSettings
from csms.quirks import adjusted
from csms.resync_plan import (
    BOOT_PAYLOAD,
    Ask,
    AskBoot,
    Conclude,
    Finish,
    GoOnWithoutBoot,
    Plan,
    Step,
    Wait,
    refused,
    trigger_payload,
)

_MOST_LOST = 128
"""Statuses that are kept of one connection while storage fails: the newest of each connector; no station has more."""


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
        on_boot_missing: Callable[[], None],
    ) -> None:
        """Use `record` as `ports.Recorder.record`, and `clock` as monotonic seconds.

        `on_boot_missing` is called where the station is to be taken as accepted though it did not boot when asked.
        """
        self._plan = plan
        self._commands = commands
        self._record = record
        self._station = station
        self._epoch = epoch
        self._version = version
        self._options = options
        self._timeout = options.trigger_timeout
        self._clock = clock
        self._log = log
        self._on_boot_missing = on_boot_missing
        self._changed = asyncio.Event()
        self._lost: dict[ConnectorAddress, StatusReported] = {}
        """The newest status of a connector, where it could not be recorded and nothing has replaced it."""

    def adapt(self, quirks: QuirkSettings) -> None:
        """Go on as this device needs it."""
        options = adjusted(self._options, quirks)
        self._timeout = options.trigger_timeout
        self._plan.adapt(options, quirks)
        self._changed.set()

    def called(self) -> None:
        """Note an inbound CALL."""
        self._plan.called(self._clock())
        self._changed.set()

    def booted(self, firmware: str) -> None:
        """Note a recorded BootNotification."""
        self._plan.booted(self._clock(), firmware)
        self._changed.set()

    def accepted(self) -> None:
        """Note that the station is accepted."""
        self._plan.accepted()
        self._changed.set()

    def reported(self, evse: int, connector: int) -> None:
        """Note a recorded status; cheap where that is no news, for it is called at every status."""
        if not self._plan.finished and self._plan.reported(ConnectorAddress(evse, connector)):
            self._changed.set()

    def replayed(self, evse: int, connector: int) -> None:
        """Note a recorded status that the station had kept since before this connection."""
        self._plan.replayed(self._clock(), ConnectorAddress(evse, connector))
        self._changed.set()

    def again(self) -> None:
        """Ask for every connector again, unless that is under way."""
        self._plan.again()
        self._changed.set()

    def reporting(self, events: Iterable[StationEvent]) -> None:
        """Note what is about to be recorded: statuses that were lost of the same connectors count no more."""
        if self._lost:
            for event in events:
                if isinstance(event, StatusReported):
                    self._lost.pop(_address(event), None)

    def lost(self, statuses: Iterable[StatusReported]) -> None:
        """Note that something the station said could not be recorded, and with it these statuses.

        The station is asked for them again. One that cannot be asked will not repeat them, so that each is kept, and
        recorded when its question has ended without an answer.
        """
        lost = {_address(status): status for status in statuses}
        self._plan.lost(self._clock(), lost)
        room = _MOST_LOST - len(self._lost)
        self._lost |= dict(list(lost.items())[:room])
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
            case AskBoot():
                await self._ask_boot()
            case GoOnWithoutBoot():
                self._plan.boot_asked()
                self._go_on_without_boot()
            case Conclude(address, outcome):
                await self._conclude(address, outcome)
            case Finish():
                if await self._recorded(ResyncFinished(self._station, self._epoch)):
                    self._plan.finish()
                    self._log.info("resync_finished")
            case _:
                assert_never(step)

    async def _ask_boot(self) -> None:
        """Ask for a BootNotification; the same deadline covers the CALLRESULT and the Boot."""
        self._plan.boot_asked()
        started_in, deadline = self._plan.round, self._clock() + self._timeout.total_seconds()
        outcome = await self._commands.call("TriggerMessage", BOOT_PAYLOAD, self._timeout)
        if isinstance(outcome, Gone):
            return
        if not refused(outcome):
            while self._plan.round == started_in and self._clock() < deadline:
                await self._change(deadline)
        if self._plan.round == started_in:
            self._log.warning("boot_missing", refused=refused(outcome))
            self._go_on_without_boot()

    def _go_on_without_boot(self) -> None:
        if self._plan.boot_missing():
            self._on_boot_missing()

    async def _ask(self, address: ConnectorAddress) -> None:
        """Ask for one connector's status; the same deadline covers the CALLRESULT and the status."""
        self._plan.asked(address)
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
        lost = self._lost.get(address)
        if lost is not None:
            if not await self._recorded(lost):
                return
            if self._lost.get(address) is lost:
                del self._lost[address]
            self._log.info("lost_status_recorded", evse=address.evse, connector=address.connector)
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


def _address(status: StatusReported) -> ConnectorAddress:
    return ConnectorAddress(status.evse, status.connector)
