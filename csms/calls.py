"""Answer one station's CALLs and take its SENDs: translate, make durable, reply; in the order in which they come.

Never touches the socket, and never gives an answer before what it is about has been recorded. Before it: `incoming`,
with a parsed message. After it: the version's `translate`, the host's recorder and replies; `resync` learns what was
recorded and what was lost.

Source: OCPP-J 1.6 §4; OCPP 2.x Part 4 §4.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from csms import frames
from csms.commands import CallIds
from csms.events import (
    Epoch,
    OcppVersion,
    Receipt,
    SecurityEventReported,
    StationBooted,
    StationEvent,
    StationId,
    StatusReported,
)
from csms.faults import Fault
from csms.frames import Call, Send
from csms.ports import Counter, EventRefused, NotAnswered, NotRecorded, Recorder, Replies, Superseded, WireLog
from csms.quirks import replayed
from csms.remembered import RememberedAnswers
from csms.replies import answerable, sendable
from csms.resync import Resync
from csms.security import is_critical
from csms.translation import Rejected, Translated
from csms.v16.translate import translate as translate_16
from csms.v21.translate import translate as translate_21
from csms.v201.translate import translate as translate_201

log = structlog.get_logger(__name__)

_TRANSLATE = {OcppVersion.V16: translate_16, OcppVersion.V201: translate_201, OcppVersion.V21: translate_21}
_BOOT = "BootNotification"
_SIGN = "SignCertificate"


@dataclass(frozen=True, slots=True)
class Host:
    """What the session uses of its host."""

    recorder: Recorder
    replies: Replies
    counter: Counter
    ids: CallIds
    clock: Callable[[], float]
    """Monotonic seconds."""
    wall: Callable[[], datetime]
    """Aware time."""
    wire_log: WireLog | None = None
    """None: nothing of what goes over the wire is kept."""


class Calls:
    """The CALLs of one connection."""

    def __init__(
        self,
        station: StationId,
        epoch: Epoch,
        version: OcppVersion,
        host: Host,
        resync: Resync,
        *,
        accepted: bool,
        strict: bool,
        on_booted: Callable[[StationBooted], None],
        holds_certificate_requests: bool,
    ) -> None:
        """`accepted`: a BootNotification of the station was accepted, on whatever connection.

        `on_booted` is called with each BootNotification that was recorded, before it is answered.
        """
        self._station = station
        self._epoch = epoch
        self._version = version
        self._recorder = host.recorder
        self._replies = host.replies
        self._counter = host.counter
        self._clock = host.clock
        self._remembered = RememberedAnswers()
        self._translate = _TRANSLATE[version]
        self._resync = resync
        self._accepted = accepted
        self._strict = strict
        self._wall = host.wall
        self._on_booted = on_booted
        self._holds_certificate_requests = holds_certificate_requests
        self._spoken = False
        self.heartbeat_most: timedelta | None = None
        """The longest heartbeat interval that the station can live with; None: any."""
        self.replays = False
        """Statuses that it reports with an old time are no answer to what its connectors are now."""

    @property
    def accepted(self) -> bool:
        """Was a BootNotification of the station accepted: before that it is asked nothing but to boot."""
        return self._accepted

    def go_on_without_boot(self) -> None:
        """Take what the station says though it never booted: it was asked to, and did not."""
        self._accepted = True
        self._counter.count("station_without_boot", self._station)

    async def answer(self, call: Call, message: str | bytes) -> str:
        """Return the text that answers a CALL, after what it reports has become durable.

        `message` is the CALL as it was on the wire: the same again, byte by byte, gets the same answer again, and
        nothing is recorded twice. Raises: Superseded.
        """
        remembered = self._remembered.find(call.id, message, self._clock())
        if remembered is not None:
            self._counter.count("call_repeated", self._station)
            return remembered
        if self._remembered.knows(call.id):
            self._counter.count("call_id_reused", self._station)
        self._speak()
        events = self._events_of(call)
        answer = events if isinstance(events, str) else await self._record_and_reply(call, events)
        self._remembered.keep(call.id, call.action, message, answer, self._clock())
        return answer

    def _events_of(self, call: Call) -> Sequence[StationEvent] | str:
        """Return what is to be recorded before the CALL is answered, or the CALLERROR that answers it."""
        if not self._accepted and call.action != _BOOT:
            # OCPP-J 1.6 §5.6 and errata §3.8 (recommended); OCPP 2.0.1 Part 2 B01.FR.10 (SHALL): SecurityError before
            # acceptance. What is refused here is not lost: the station is asked to boot, and then for its statuses.
            return self._error(call, Fault.SECURITY, "send BootNotification first")
        fault = answerable(self._version, call.action)
        if fault is not None:
            return self._error(call, fault)
        translated = self._translated(call)
        if isinstance(translated, Rejected):
            return self._error(call, translated.fault, translated.description)
        nobody_signs = call.action == _SIGN and not self._holds_certificate_requests  # it is answered with Rejected
        return () if nobody_signs else translated.events

    async def take(self, send: Send) -> None:
        """Make durable what a SEND reports, and count what it does not; nobody is told. Raises: Superseded."""
        self._speak()
        if not self._accepted:
            return self._drop(Fault.SECURITY)
        if not sendable(self._version, send.action):
            return self._drop(Fault.NOT_IMPLEMENTED)
        translated = self._translated(send)
        if isinstance(translated, Rejected):
            return self._drop(translated.fault)
        try:
            await self._record(translated.events)
        except NotRecorded:
            self._drop(Fault.INTERNAL)
        except EventRefused:
            self._drop(Fault.PROPERTY_CONSTRAINT)

    def _speak(self) -> None:
        if not self._spoken:
            self._spoken = True
            self._resync.called()

    def _translated(self, message: Call | Send) -> Translated | Rejected:
        translated = self._translate(
            message.action, message.payload, station=self._station, epoch=self._epoch, strict=self._strict
        )
        if isinstance(translated, Translated):
            for note in translated.notes:
                self._counter.count(note, self._station)
        return translated

    async def _record_and_reply(self, call: Call, events: Sequence[StationEvent]) -> str:
        try:
            receipt = await self._record(events)
        except NotRecorded:
            return self._error(call, Fault.INTERNAL, "storage is not available; nothing was recorded")
        except EventRefused:
            return self._error(call, Fault.PROPERTY_CONSTRAINT, "a value cannot be recorded")
        try:
            made = await self._replies.reply(self._station, self._version, call.action, call.payload, receipt)
        except NotAnswered as why:
            return self._error(call, why.fault, why.description)
        reply = self._fitting(call, made)
        if not self._accepted and call.action == _BOOT and reply.get("status") == "Accepted":
            self._accepted = True
            self._resync.accepted()
        return frames.result_text(call.id, reply)

    async def _record(self, events: Sequence[StationEvent]) -> Receipt | None:
        """Make a message's events durable, and tell the resync what was recorded or lost."""
        self._resync.reporting(events)
        try:
            receipt = await (self._recorder.record(events[0]) if len(events) == 1 else self._store(events))
        except NotRecorded:
            statuses = [event for event in events if isinstance(event, StatusReported)]
            self._resync.lost(statuses)
            raise
        for event in events:
            if isinstance(event, StatusReported):
                self._reported(event)
            elif isinstance(event, StationBooted):
                self._on_booted(event)
                self._resync.booted(event.firmware)
            elif isinstance(event, SecurityEventReported):
                self._warn(event)
        return receipt

    def _reported(self, status: StatusReported) -> None:
        if self.replays and replayed(status.reported_at, self._wall()):
            self._resync.replayed(status.evse, status.connector)
        else:
            self._resync.reported(status.evse, status.connector)

    def _fitting(self, call: Call, reply: dict[str, Any]) -> dict[str, Any]:
        """Return the reply, whoever made it, with a heartbeat interval that the station can live with.

        Where the Boot is not accepted, the interval is the time to its next attempt (OCPP 1.6 §4.2), and stands.
        """
        interval = reply.get("interval")
        if self.heartbeat_most is None or call.action != _BOOT or reply.get("status") != "Accepted":
            return reply
        most = int(self.heartbeat_most.total_seconds())
        return reply if isinstance(interval, int) and 0 < interval <= most else {**reply, "interval": most}

    async def _store(self, events: Sequence[StationEvent]) -> Receipt | None:
        """Make a message's events durable, in order; all are submitted before the first is waited for."""
        if not events:
            return None
        ended = await asyncio.gather(*map(self._recorder.record, events), return_exceptions=True)
        failures = [end for end in ended if isinstance(end, BaseException)]
        if failures:
            raise min(failures, key=_gravity)
        receipts = [end for end in ended if isinstance(end, Receipt)]
        return next((receipt for receipt in receipts if receipt.transaction_id is not None), receipts[-1])

    def _drop(self, fault: Fault) -> None:
        self._counter.count(f"send_dropped_{fault.value}", self._station)

    def _warn(self, event: SecurityEventReported) -> None:
        self._counter.count("security_event", self._station)
        if is_critical(self._version, event.kind):
            log.warning("security_event_reported", station=self._station, kind=event.kind, info=event.info)

    def _error(self, call: Call, fault: Fault, description: str = "") -> str:
        self._counter.count(f"call_refused_{fault.value}", self._station)
        return frames.error_text(call.id, fault, self._version, description)


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
