"""Hold one station's session: read a frame, make it durable, answer it; then the next.

Never decides what a report means, and never says that something is stored before it is. Before it: `server`, with an
authenticated socket and its epoch. After it: `frames`, the version's `translate`, the host's recorder and replies.

Every CALL with a readable id gets exactly one answer; no frame ends the session.
Source: design.md §8; OCPP-J 1.6 §4; OCPP 2.0.1 Part 4 §4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from csms import frames
from csms.commands import CallIds, Commands
from csms.events import (
    ConnectorAddress,
    Epoch,
    OcppVersion,
    Receipt,
    StationBooted,
    StationDisconnected,
    StationEvent,
    StationId,
    StatusReported,
)
from csms.frames import Call, CallError, CallResult, Fault, Malformed
from csms.options import ServerOptions
from csms.ports import Counter, EventRefused, NotRecorded, Recorder, Replies, Superseded
from csms.replies import answerable
from csms.resync import Plan, Resync, askable, trigger_payload
from csms.translation import Rejected
from csms.v16.translate import translate as translate_16
from csms.v201.translate import translate as translate_201
from csms.websocket import Claim, StationSocket

_TRANSLATE = {OcppVersion.V16: translate_16, OcppVersion.V201: translate_201}
_BOOT = "BootNotification"


@dataclass(frozen=True, slots=True)
class Host:
    """What the session uses of its host."""

    recorder: Recorder
    replies: Replies
    counter: Counter
    ids: CallIds
    clock: Callable[[], float]
    """Monotonic seconds."""


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
        self.since = since
        self.pinged_at = host.clock()
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(
            station=record.station, version=version.value, epoch=epoch, remote=claim.remote
        )
        self._socket = socket
        self._record = record
        self._recorder = host.recorder
        self._replies = host.replies
        self._counter = host.counter
        self._options = options
        self._strict = options.strict or record.strict
        self._send_timeout_s = options.send_timeout.total_seconds()
        self._translate = _TRANSLATE[version]
        self._accepted = record.accepted
        self._spoken = False
        self._unanswered: str | None = None
        self._busy = False
        self._stopping = False
        self._at_rest: asyncio.Future[None] | None = None
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
            ),
            self._commands,
            host.recorder.record,
            station=record.station,
            epoch=epoch,
            version=version,
            options=options,
            clock=host.clock,
            log=self.log,
        )
        socket.on_control_frame = self._heard

    # --- life ---------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the station until its socket is closed, by whomever; never raises for what a station does."""
        resync = asyncio.create_task(self._run_resync(), name=f"resync {self.station}")
        try:
            await self._serve()
        finally:
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
        self._stopping = True
        if self._busy:
            self._at_rest = asyncio.get_running_loop().create_future()
            await self._at_rest
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

    async def dismiss(self) -> None:
        """Close the socket because what admitted the station holds no more."""
        await self._socket.close(CloseCode.POLICY_VIOLATION, "the registry has changed: log in again")

    async def _run_resync(self) -> None:
        try:
            await self._resync.run()
        except Exception:
            self.log.exception("resync_failed")
            self._counter.count("resync_failed", self.station)

    # --- frames in ----------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            while not self._stopping:
                try:
                    message = await self._receive()
                except ConnectionClosed:
                    return
                if message is None or not await self._handled(message):
                    return
        finally:
            self._rest()
        await self._socket.wait_closed()

    def _rest(self) -> None:
        self._busy = False
        if self._at_rest is not None and not self._at_rest.done():
            self._at_rest.set_result(None)

    async def _handled(self, message: str | bytes) -> bool:
        """Handle one frame, whatever it is; False where the session is over."""
        self._busy = True
        try:
            await self._handle(message)
        except ConnectionClosed:
            return False
        except Superseded:
            # Silence: the host has not recorded it, and the newer connection will be asked.
            self._counter.count("session_superseded", self.station)
            await self.supersede()
            return False
        except Exception:
            self.log.exception("frame_failed")
            self._counter.count("frame_failed", self.station)
            await self._answer_failure()
        self._busy = False
        return True

    async def _receive(self) -> str | bytes | None:
        if not self._strict:
            # As bytes, whatever the opcode: invalid UTF-8 in a text frame would end the connection otherwise.
            return await self._socket.recv(decode=False)
        message = await self._socket.recv()
        if isinstance(message, str):
            return message
        self._counter.count("frame_binary", self.station)
        await self._socket.close(CloseCode.UNSUPPORTED_DATA, "OCPP-J uses text frames")
        return None

    async def _handle(self, message: str | bytes) -> None:
        self._heard()
        frame = frames.parse(message, self.version, strict=self._strict)
        if isinstance(frame, Call):
            self._unanswered = frame.id
            answer = await self._answer_to(frame)
            self._unanswered = None
            await self._socket.answer(answer, self._send_timeout_s)
            return
        match frame:
            case CallResult(message_id, payload):
                known = self._commands.answered(message_id, payload)
                if not known:
                    self._counter.count("answer_unexpected", self.station)
            case CallError(message_id, code, _):
                known = self._commands.failed(message_id, code)
                if not known:
                    self._counter.count("answer_unexpected", self.station)
            case Malformed(kind, error):
                self._counter.count(f"frame_malformed_{kind}", self.station)
                if error is not None:
                    await self._socket.answer(error, self._send_timeout_s)
            case _:
                assert_never(frame)

    def _heard(self) -> None:
        self._recorder.heard(self.station)

    # --- calls --------------------------------------------------------------------------------------------------------

    async def _answer_to(self, call: Call) -> str:
        """Return the text that answers a CALL, after what it reports has become durable. Raises: Superseded."""
        if not self._spoken:
            self._spoken = True
            self._resync.called()
        if not self._accepted and call.action != _BOOT:
            # OCPP-J 1.6 §5.6 and errata §3.8; OCPP 2.0.1 Part 2 B01.FR.10: SecurityError before acceptance.
            return self._error(call, Fault.SECURITY, "send BootNotification first")
        fault = answerable(self.version, call.action)
        if fault is not None:
            return self._error(call, fault)
        translated = self._translate(
            call.action, call.payload, station=self.station, epoch=self.epoch, strict=self._strict
        )
        if isinstance(translated, Rejected):
            return self._error(call, translated.fault, translated.description)
        for note in translated.notes:
            self._counter.count(note, self.station)
        return await self._record_and_reply(call, translated.events)

    async def _record_and_reply(self, call: Call, events: Sequence[StationEvent]) -> str:
        try:
            receipt = await self._store(events)
        except NotRecorded:
            self._resync.lost()
            return self._error(call, Fault.INTERNAL, "storage is not available; nothing was recorded")
        except EventRefused:
            return self._error(call, Fault.PROPERTY_CONSTRAINT, "a value cannot be recorded")
        for event in events:
            if isinstance(event, StatusReported):
                self._resync.reported(event.evse, event.connector)
            elif isinstance(event, StationBooted):
                self._resync.booted()
        reply = self._replies.reply(self.version, call.action, call.payload, receipt)
        if not self._accepted and call.action == _BOOT and reply.get("status") == "Accepted":
            self._accepted = True
            self._resync.accepted()
        return frames.result_text(call.id, reply)

    async def _store(self, events: Sequence[StationEvent]) -> Receipt | None:
        """Make a message's events durable, in order; all are submitted before the first is waited for."""
        if not events:
            return None
        if len(events) == 1:
            return await self._recorder.record(events[0])
        ended = await asyncio.gather(*map(self._recorder.record, events), return_exceptions=True)
        failures = [end for end in ended if isinstance(end, BaseException)]
        if failures:
            raise min(failures, key=_gravity)
        receipts = [end for end in ended if isinstance(end, Receipt)]
        return next((receipt for receipt in receipts if receipt.transaction_id is not None), receipts[-1])

    def _error(self, call: Call, fault: Fault, description: str = "") -> str:
        self._counter.count(f"call_refused_{fault.value}", self.station)
        return frames.error_text(call.id, fault, self.version, description)

    async def _answer_failure(self) -> None:
        """Answer the CALL that an error of ours left open."""
        if self._unanswered is None:
            return
        answer = frames.error_text(self._unanswered, Fault.INTERNAL, self.version)
        self._unanswered = None
        try:
            await self._socket.answer(answer, self._send_timeout_s)
        except ConnectionClosed:
            return

    # --- calls of ours ------------------------------------------------------------------------------------------------

    async def _send_call(self, text: str) -> None:
        try:
            await self._socket.answer(text, self._send_timeout_s)
        except ConnectionClosed:
            # The session ends now, and ends the call with it.
            return


def _gravity(failure: BaseException) -> int:
    """Rank what may happen to several events of one message: what forbids an answer outranks what spoils it."""
    match failure:
        case Superseded():
            return 0
        case NotRecorded():
            return 1
        case EventRefused():
            return 3
        case _:
            return 2
