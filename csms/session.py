"""Hold one station's session: its life from the opened WebSocket to the end, and what is ordered of the station.

Never reads a message. Before it: `server`, with an authenticated socket and its epoch. After it: `incoming`, which
takes what the station sends; `commands`, which call it; `resync`, which asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from csms import availability, operator_calls
from csms.calls import Calls, Host
from csms.commands import Commands
from csms.events import (
    ChangeAnswer,
    ChangeOutcome,
    ConnectorAddress,
    Epoch,
    OcppVersion,
    StationBooted,
    StationDisconnected,
    StationId,
)
from csms.incoming import Incoming
from csms.operator_calls import CallAnswer
from csms.options import ServerOptions
from csms.ports import EventRefused, NotRecorded, Superseded
from csms.quirks import quirks_of, quirks_of_record
from csms.resync import Resync
from csms.resync_plan import Plan, askable, trigger_payload
from csms.websocket import Claim, StationSocket


class Session:
    """One station's connection, from the opened WebSocket to its end."""

    def __init__(
        self,
        socket: StationSocket,
        claim: Claim,
        epoch: Epoch,
        host: Host,
        options: ServerOptions,
        *,
        since: datetime,
        jitter: float,
    ) -> None:
        """Take over an open socket; `since` is its moment for display, `jitter` in [0, 1) places its questions."""
        record, version = claim.record, claim.negotiated.version
        self.station: StationId = record.station
        self.epoch = epoch
        self.version = version
        self.remote = claim.remote
        self.profile = claim.profile
        self.since = since
        self.pinged_at = host.clock()
        self.ping_interval = record.ping_interval
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(
            station=record.station, version=version.value, epoch=epoch, remote=claim.remote
        )
        self._socket = socket
        self._claim = claim
        self._record = record
        self._recorder = host.recorder
        self._counter = host.counter
        self._options = options
        strict = options.strict or record.strict
        self._send_timeout_s = options.send_timeout.total_seconds()
        self._probe: asyncio.Task[object] | None = None
        self._commands = Commands(self._send_call, host.ids)
        self._resync = Resync(
            Plan(
                version,
                record.connectors,
                options,
                now=host.clock(),
                jitter=jitter,
                accepted=record.accepted,
                refuses=record.refuses_trigger,
                firmware=record.firmware,
                quarantined=record.quarantined,
            ),
            self._commands,
            host.recorder.record,
            station=record.station,
            epoch=epoch,
            version=version,
            options=options,
            clock=host.clock,
            log=self.log,
            on_boot_missing=self._go_on_without_boot,
        )
        self._calls = Calls(
            record.station,
            epoch,
            version,
            host,
            self._resync,
            accepted=record.accepted,
            strict=strict,
            on_booted=self._booted,
            holds_certificate_requests=options.hold_certificate_requests,
        )
        self.quirks = quirks_of_record(record)
        self._apply_quirks()
        self._incoming = Incoming(
            socket,
            claim,
            host,
            self._calls,
            self._commands,
            options,
            strict=strict,
            log=self.log,
            supersede=self.supersede,
        )
        self._wire_log = host.wire_log
        if host.wire_log is not None:
            socket.on_message = partial(host.wire_log.frame, record.station, epoch)

    async def run(self) -> None:
        """Serve the station until its socket is closed, by whomever; never raises for what a station does."""
        resync = asyncio.create_task(self._run_resync(), name=f"resync {self.station}")
        if self._wire_log is not None:
            self._wire_log.opened(self.station, self.epoch, self.version, self.remote)
        try:
            await self._incoming.run()
        finally:
            if self._wire_log is not None:
                self._wire_log.closed(self.station, self.epoch, *self._socket.end)
            if self._socket.broken_rule is not None:
                self._counter.count(f"frame_illegal_{self._socket.broken_rule}", self.station)
            self._commands.close()
            tasks = [task for task in (resync, self._probe) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def farewell(self) -> None:
        """Record that this session is over; bounded, and without a complaint where the host knows better."""
        try:
            async with asyncio.timeout(self._options.stop_timeout.total_seconds()):
                await self._recorder.record(StationDisconnected(self.station, self.epoch))
        except (TimeoutError, NotRecorded, EventRefused):
            self._counter.count("disconnect_not_recorded", self.station)
        except Superseded:
            return

    async def stop(self) -> None:
        """Let the message in work be answered, then close with 1001; the caller bounds the wait."""
        await self._incoming.stop()
        await self._socket.close(CloseCode.GOING_AWAY, "server is shutting down")

    async def supersede(self) -> None:
        """Close the socket because a newer connection of the station was authenticated."""
        await self._socket.close(CloseCode.POLICY_VIOLATION, "replaced by a newer connection of this station")

    async def alive(self) -> bool:
        """Ping, and tell whether the station answered within `duplicate_ping`."""
        try:
            async with asyncio.timeout(self._options.duplicate_ping.total_seconds()):
                await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    def ping(self, now: float) -> None:
        """Send a keepalive ping; `now` is monotonic, in seconds."""
        self.pinged_at = now
        self._socket.ping_unanswered()

    def probe(self) -> None:
        """Send one TriggerMessage(StatusNotification), unless a CALL is in flight: any answer is a sign of life."""
        if self._commands.busy or (self._probe is not None and not self._probe.done()):
            return
        if self.quirks.settings.never_trigger:
            self._socket.ping_unanswered()
            return
        address = next((each for each in self._record.connectors if askable(self.version, each)), None)
        if address is None:
            address = ConnectorAddress(0 if self.version is OcppVersion.V16 else 1, 1)
        question = self._commands.call(
            "TriggerMessage", trigger_payload(self.version, address), self._options.trigger_timeout
        )
        self._probe = asyncio.create_task(question, name=f"probe {self.station}")

    def resync(self) -> None:
        """Ask for every connector's status again, unless that is under way."""
        self._resync.again()

    async def change_availability(self, address: ConnectorAddress, *, operative: bool) -> ChangeAnswer:
        """Send one ChangeAvailability, and return how the station took it."""
        if not self._calls.accepted:
            return ChangeAnswer(ChangeOutcome.AWAY, "the station has not booted yet")
        if not availability.addressable(self.version, address):
            return ChangeAnswer(ChangeOutcome.UNSUPPORTED, f"the inventory's address is none of {self.version}")
        payload = availability.request(self.version, address, operative=operative)
        return availability.answer(
            await self._commands.call(availability.ACTION, payload, self._options.answer_timeout)
        )

    async def call(self, action: str, payload: Mapping[str, Any], timeout: timedelta, *, force: bool) -> CallAnswer:
        """Send one CALL for an operator, if it is one that may be sent now, and return how it ended."""
        version, send, quirks = self.version, self._commands.order, self.quirks.settings
        accepted = self._calls.accepted
        refused = operator_calls.refusal(version, action, payload, accepted=accepted, quirks=quirks, force=force)
        return refused or operator_calls.judge(version, action, await send(action, payload, timeout))

    @property
    def commandable(self) -> bool:
        """Does the station answer our calls."""
        return self._commands.commandable

    async def dismiss(self) -> None:
        """Close the socket because what admitted the station holds no more."""
        await self._socket.close(CloseCode.POLICY_VIOLATION, "the registry has changed: log in again")

    def _booted(self, booted: StationBooted) -> None:
        self.quirks = quirks_of(self._record.quirks, vendor=booted.vendor, model=booted.model, firmware=booted.firmware)
        self._apply_quirks()

    def _apply_quirks(self) -> None:
        settings, record = self.quirks.settings, self._record
        self.ping_interval = settings.ping_interval if record.ping_interval is None else record.ping_interval
        self._commands.spacing = settings.call_spacing
        self._calls.heartbeat_most = settings.heartbeat_most
        self._calls.replays = settings.replays
        self._resync.adapt(settings)
        if self.quirks.applied:
            self.log.info("quirks_applied", names=[applied.profile.name for applied in self.quirks.applied])

    def _go_on_without_boot(self) -> None:
        self._calls.go_on_without_boot()

    async def _run_resync(self) -> None:
        try:
            await self._resync.run()
        except Exception:
            self.log.exception("resync_failed")
            self._counter.count("resync_failed", self.station)

    async def _send_call(self, text: str) -> None:
        try:
            await self._socket.answer(text, self._send_timeout_s)
        except ConnectionClosed:
            # The session ends now, and ends the call with it.
            return
