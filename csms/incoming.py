"""Take what a station sends: read a frame, make it durable, answer it; then the next, no faster than its share allows.

Never decides what a report means, and never calls the station. Before it: `session`, and `websocket`. After it:
`frames`; `calls`, which answers; `commands`, which match the station's answers; `pacing`.

Every CALL with a readable id gets exactly one answer; no frame ends the session.
Source: OCPP-J 1.6 §4; OCPP 2.x Part 4 §4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

import structlog
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from csms import frames, schemas
from csms.calls import Calls, Host
from csms.commands import Commands
from csms.events import OcppVersion
from csms.faults import Fault
from csms.frames import Call, CallError, CallResult, CallResultError, Malformed, Send
from csms.options import ServerOptions
from csms.pacing import Pacing
from csms.ports import Superseded
from csms.profiles import conflicting_serial
from csms.websocket import Claim, StationSocket

_Receive = Callable[[], Awaitable[str | bytes | None]]
"""Returns the next message; None where the connection was closed instead."""


class Incoming:
    """What one connection brings, from its first message to its last."""

    def __init__(
        self,
        socket: StationSocket,
        claim: Claim,
        host: Host,
        calls: Calls,
        commands: Commands,
        options: ServerOptions,
        *,
        strict: bool,
        log: structlog.stdlib.BoundLogger,
        supersede: Callable[[], Awaitable[None]],
    ) -> None:
        """Listen to the socket; `supersede` is called where the host says that a newer connection has taken over."""
        self._station = claim.record.station
        self._version = claim.negotiated.version
        self._log = log
        self._socket = socket
        self._claim = claim
        self._record = claim.record
        self._recorder = host.recorder
        self._counter = host.counter
        self._calls = calls
        self._commands = commands
        self._strict = strict
        self._send_timeout_s = options.send_timeout.total_seconds()
        self._supersede = supersede
        self._pacing = Pacing(socket, options, clock=host.clock, count=self._count)
        # As bytes, whatever the opcode: invalid UTF-8 in a text frame would end the connection otherwise.
        self._receive: _Receive = self._receive_text if strict else partial(socket.receive, decode=False)
        self._unanswered: str | None = None
        self._busy = False
        self._stopping = False
        self._at_rest: asyncio.Future[None] | None = None
        socket.on_control_frame = self._on_control_frame

    async def run(self) -> None:
        """Take every message until the socket is closed, by whomever, or `stop` was called; then wait for its end."""
        try:
            while not self._stopping:
                try:
                    message = await self._receive()
                except ConnectionClosed:
                    return
                if message is None or not await self._handled(message):
                    return
                if not self._pacing.in_time() and not await self._pacing.slow_down():
                    return
        finally:
            self._rest()
        await self._socket.wait_closed()

    async def stop(self) -> None:
        """Read no more, and wait until the message in work is answered."""
        self._stopping = True
        if self._busy:
            self._at_rest = asyncio.get_running_loop().create_future()
            await self._at_rest

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
            self._counter.count("session_superseded", self._station)
            await self._supersede()
            return False
        except Exception:  # noqa: BLE001 - the loop's top: no frame ends the session
            self._log.exception("frame_failed")
            self._counter.count("frame_failed", self._station)
            await self._answer_failure()
        self._busy = False
        return True

    async def _receive_text(self) -> str | None:
        message = await self._socket.receive()
        if isinstance(message, str):
            return message
        self._counter.count("frame_binary", self._station)
        await self._socket.close(CloseCode.UNSUPPORTED_DATA, "OCPP-J uses text frames")
        return None

    async def _handle(self, message: str | bytes) -> None:
        self._recorder.heard(self._station)
        frame = frames.parse(message, self._version, strict=self._strict)
        if isinstance(frame, Call):
            if frame.action == "BootNotification" and await self._is_impostor(frame):
                return
            self._unanswered = frame.id
            answer = await self._calls.answer(frame, message)
            self._unanswered = None
            await self._socket.answer(answer, self._send_timeout_s)
            return
        match frame:
            case CallResult():
                await self._take_result(frame)
            case CallError(message_id, code, description):
                known = self._commands.failed(message_id, code, description)
                if not known:
                    self._counter.count("answer_unexpected", self._station)
            case Send():
                await self._calls.take(frame)
            case CallResultError():
                # What it is about has been recorded and answered; no call of ours waits for it.
                self._counter.count("result_refused", self._station)
            case Malformed(kind, error, answers):
                self._counter.count(f"frame_malformed_{kind}", self._station)
                if answers is not None and self._commands.unreadable(answers):
                    self._counter.count("answer_unreadable", self._station)
                if error is not None:
                    await self._socket.answer(error, self._send_timeout_s)
            case _:
                assert_never(frame)

    async def _take_result(self, result: CallResult) -> None:
        """Give a CALLRESULT to the call that waits for it; it takes it as it is, whatever the schema says.

        A 2.1 station is told where the schema refuses it, and can show that its answer did not count.
        Source: OCPP 2.1 Part 4 §4.2, CALLRESULTERROR.
        """
        action = self._commands.action_of(result.id)
        known = self._commands.answered(result.id, result.payload)  # also what comes too late says that it answers
        if action is None or not known:
            self._counter.count("answer_unexpected", self._station)
            return
        if self._version is not OcppVersion.V21:
            return
        found = schemas.problems(self._version, action, result.payload, "response")
        refusal = None if found is None else frames.result_error_text(result.id, found[0], self._version, found[1])
        if refusal is not None:
            self._counter.count("answer_refused", self._station)
            await self._socket.answer(refusal, self._send_timeout_s)

    async def _is_impostor(self, boot: Call) -> bool:
        """Compare the serial number with the certificate's, and close where the station is to be held to it.

        B01.FR.12 wants the connection closed. The certificate has proved the station already, and a serial number that
        somebody mistyped or a firmware cuts off (Schneider EVlink sends 33 characters) would keep it offline for good.
        """
        unit = boot.payload.get("chargingStation")
        serial = unit.get("serialNumber") if isinstance(unit, dict) else None
        if not conflicting_serial(self._claim.certificate, self._record, self._version, serial):
            return False
        self._counter.count("boot_serial_differs_from_certificate", self._station)
        self._log.warning("boot_serial_differs_from_certificate", serial=str(serial)[:64])
        if self._strict:
            await self._socket.close(CloseCode.POLICY_VIOLATION, "serialNumber is not the certificate's")
        return self._strict

    def _on_control_frame(self) -> None:
        self._recorder.heard(self._station)
        self._pacing.after_control_frame()

    def _count(self, what: str) -> None:
        self._counter.count(what, self._station)

    async def _answer_failure(self) -> None:
        """Answer the CALL that an error of ours left open."""
        if self._unanswered is None:
            return
        answer = frames.error_text(self._unanswered, Fault.INTERNAL, self._version)
        self._unanswered = None
        try:
            await self._socket.answer(answer, self._send_timeout_s)
        except ConnectionClosed:
            return
