"""Turn OCPP 2.0.1 requests into station events.

Does no I/O, and decides nothing about an EVSE. Before it: `frames`. After it: the host's recorder.

A status whose meaning is clear is taken even where the schema refuses it, and the leniency is noted: a refused status
is a lost one, since a station need not repeat it. With `strict` the schema decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from csms import schemas
from csms.events import (
    ChargingState,
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationBooted,
    StationEvent,
    StationId,
    StatusReported,
    TransactionPhase,
    TransactionReported,
)
from csms.faults import Fault
from csms.security import certificate_request, security_event
from csms.translation import MAX_ADDRESS, MAX_INTEGER, MAX_WORD, Notes, PayloadReader, Rejected, Translated, Unclear

# OCPP 2.0.1 Part 2, ConnectorStatusEnumType.
_STATUSES = frozenset(
    {
        ReportedStatus.AVAILABLE,
        ReportedStatus.OCCUPIED,
        ReportedStatus.RESERVED,
        ReportedStatus.UNAVAILABLE,
        ReportedStatus.FAULTED,
    }
)

_AVAILABILITY: Final = "availabilitystate"
"""OCPP 2.0.1 Part 2, VariableType: names are case insensitive; this one folded."""

_PHASES = {phase.value.casefold(): phase for phase in TransactionPhase}
_CHARGING_STATES = {state.value.casefold(): state for state in ChargingState}

_STATUS_FIELDS = frozenset({"connectorId", "connectorStatus", "customData", "evseId", "timestamp"})
_BOOT_FIELDS = frozenset({"chargingStation", "customData", "reason"})
_STATION_FIELDS = frozenset({"customData", "firmwareVersion", "model", "modem", "serialNumber", "vendorName"})
_NOTIFY_FIELDS = frozenset({"customData", "eventData", "generatedAt", "seqNo", "tbc"})
_EVENT_FIELDS = frozenset(
    {
        "actualValue",
        "cause",
        "cleared",
        "component",
        "customData",
        "eventId",
        "eventNotificationType",
        "techCode",
        "techInfo",
        "timestamp",
        "transactionId",
        "trigger",
        "variable",
        "variableMonitoringId",
    }
)
_COMPONENT_FIELDS = frozenset({"customData", "evse", "instance", "name"})
_VARIABLE_FIELDS = frozenset({"customData", "instance", "name"})
_EVSE_FIELDS = frozenset({"connectorId", "customData", "id"})
_TRANSACTION_EVENT_FIELDS = frozenset(
    {
        "cableMaxCurrent",
        "customData",
        "eventType",
        "evse",
        "idToken",
        "meterValue",
        "numberOfPhasesUsed",
        "offline",
        "reservationId",
        "seqNo",
        "timestamp",
        "transactionInfo",
        "triggerReason",
    }
)
_TRANSACTION_FIELDS = frozenset(
    {"chargingState", "customData", "remoteStartId", "stoppedReason", "timeSpentCharging", "transactionId"}
)


def translate(
    action: str, payload: Mapping[str, Any], *, station: StationId, epoch: Epoch, strict: bool
) -> Translated | Rejected:
    """Return the events that a request carries, in order; none for actions that carry no state.

    Source: OCPP 2.0.1 Part 2, Messages.
    """
    problem = schemas.problems(OcppVersion.V201, action, payload)
    if problem is not None and strict:
        return Rejected(*problem)
    subject, events_of = _ROUTES.get(action, _STATELESS)
    notes: Notes = {}
    try:
        events = events_of(subject, payload, station, epoch, notes)
    except Unclear as unclear:
        return Rejected(unclear.fault, unclear.description)
    if problem is not None and not notes:
        notes[f"{subject}_lenient_schema"] = None
    return Translated(events, tuple(notes))


def _booted(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, _BOOT_FIELDS, notes).object("chargingStation", _STATION_FIELDS)
    return (
        StationBooted(
            station,
            epoch,
            vendor=read.text("vendorName", required=True),
            model=read.text("model", required=True),
            serial=read.text("serialNumber"),
            firmware=read.text("firmwareVersion"),
        ),
    )


def _status(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, _STATUS_FIELDS, notes)
    evse = read.number("evseId", MAX_ADDRESS)
    connector = read.number("connectorId", MAX_ADDRESS)
    if evse == 0 and connector != 0:
        raise Unclear(Fault.PROPERTY_CONSTRAINT, "evseId 0 is the station, and has no connectors")
    return (
        StatusReported(
            station,
            epoch,
            OcppVersion.V201,
            evse=evse,
            connector=connector,
            status=read.status("connectorStatus", _STATUSES),
            reported_at=read.text("timestamp", MAX_WORD, required=True),
        ),
    )


def _availabilities(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    """Read every AvailabilityState of a NotifyEvent; an unclear one is skipped, since its neighbours are clear.

    Source: OCPP 2.0.1 Part 2 G01.FR.01 to 09; components Connector, EVSE and ChargingStation.
    """
    read = PayloadReader(subject, payload, _NOTIFY_FIELDS, notes)
    entries = read.value("eventData")
    if type(entries) is dict:
        read.note("type")
        entries = [entries]
    if type(entries) is not list:
        read.note("missing")
        return ()
    events = []
    for entry in entries:
        try:
            event = _availability(subject, entry, station, epoch, notes)
        except Unclear:
            read.note("skipped")
            continue
        if event is not None:
            events.append(event)
    return tuple(events)


def _availability(subject: str, entry: object, station: StationId, epoch: Epoch, notes: Notes) -> StatusReported | None:
    """Return the status of one eventData entry; None where it is about something else. Raises: Unclear."""
    if type(entry) is not dict:
        raise Unclear(Fault.TYPE_CONSTRAINT, "eventData is not an object")
    read = PayloadReader(subject, entry, _EVENT_FIELDS, notes)
    if _name(read.object("variable", _VARIABLE_FIELDS)) != _AVAILABILITY:
        return None
    address = _address(read.object("component", _COMPONENT_FIELDS))
    if address is None:
        return None
    evse, connector = address
    return StatusReported(
        station,
        epoch,
        OcppVersion.V201,
        evse=evse,
        connector=connector,
        status=read.status("actualValue", _STATUSES),
        reported_at=read.text("timestamp", MAX_WORD, required=True),
        vendor_error_code=read.text("techCode"),
        info=read.text("techInfo"),
        source="NotifyEvent",
    )


def _name(read: PayloadReader) -> str:
    return read.text("name", MAX_WORD).strip().casefold()


def _address(component: PayloadReader) -> tuple[int, int] | None:
    """Return (evse, connector) of a component that has an availability, None for others. Raises: Unclear."""
    match _name(component):
        case "connector":
            evse = component.object("evse", _EVSE_FIELDS)
            return _number_from_1(evse, "id"), _number_from_1(evse, "connectorId")
        case "evse":
            return _number_from_1(component.object("evse", _EVSE_FIELDS), "id"), 0
        case "chargingstation":
            return 0, 0
        case _:
            return None


def _number_from_1(read: PayloadReader, name: str) -> int:
    number = read.number(name, MAX_ADDRESS)
    if number == 0:
        raise Unclear(Fault.PROPERTY_CONSTRAINT, f"{name} is not within 1 to {MAX_ADDRESS}")
    return number


def _transaction(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, _TRANSACTION_EVENT_FIELDS, notes)
    info = read.object("transactionInfo", _TRANSACTION_FIELDS)
    transaction = info.text("transactionId", MAX_WORD)
    if not transaction:
        raise Unclear(Fault.MISSING_FIELD, "transactionInfo.transactionId is missing")
    evse, connector = _evse(read)
    return (
        TransactionReported(
            station,
            epoch,
            OcppVersion.V201,
            evse=evse,
            connector=connector,
            transaction=transaction,
            seq_no=read.number("seqNo", MAX_INTEGER),
            phase=_phase(read),
            charging_state=_word(info, "chargingState", _CHARGING_STATES),
            offline=_offline(read),
            reported_at=read.text("timestamp", MAX_WORD, required=True),
        ),
    )


def _evse(read: PayloadReader) -> tuple[int | None, int | None]:
    """Return EVSE and connector of a transaction; None where unclear: it then belongs to the EVSE of its transaction.

    Raises: Unclear, where a number is out of range.
    """
    value = read.value("evse")
    if value is None:
        return None, None
    if type(value) is int:
        read.note("type")
        evse = PayloadReader("transaction", {"id": value}, _EVSE_FIELDS, read.notes)
    else:
        evse = read.object("evse", _EVSE_FIELDS)
    return _optional_number(evse, "id") or None, _optional_number(evse, "connectorId") or None


def _optional_number(read: PayloadReader, name: str) -> int | None:
    try:
        return read.number(name, MAX_ADDRESS)
    except Unclear as unclear:
        if unclear.fault is Fault.PROPERTY_CONSTRAINT:
            raise
        if unclear.fault is Fault.TYPE_CONSTRAINT:
            read.note("type")
        return None


_Word = TypeVar("_Word", TransactionPhase, ChargingState)


def _word(read: PayloadReader, name: str, words: Mapping[str, _Word]) -> _Word | None:
    value = read.value(name)
    if value is None:
        return None
    word = words.get(value.strip().casefold()) if type(value) is str else None
    if word is None:
        read.note("word")
    elif word.value != value:
        read.note("case")
    return word


def _phase(read: PayloadReader) -> TransactionPhase:
    phase = _word(read, "eventType", _PHASES)
    if phase is None:
        missing = read.value("eventType") is None
        fault = Fault.MISSING_FIELD if missing else Fault.PROPERTY_CONSTRAINT
        raise Unclear(fault, "eventType is missing" if missing else "eventType is not an event type")
    return phase


def _offline(read: PayloadReader) -> bool:
    """Source: OCPP 2.0.1 Part 2, TransactionEventRequest: 'Default = false'."""
    value = read.value("offline")
    if value is None or type(value) is bool:
        return value or False
    read.note("type")
    return str(value).strip().casefold() in ("true", "1")


def _nothing(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    return ()


_EventsOf = Callable[[str, Mapping[str, Any], StationId, Epoch, Notes], tuple[StationEvent, ...]]

_STATELESS: tuple[str, _EventsOf] = ("message", _nothing)

_ROUTES: dict[str, tuple[str, _EventsOf]] = {
    "BootNotification": ("boot", _booted),
    "StatusNotification": ("status", _status),
    "NotifyEvent": ("event", _availabilities),
    "TransactionEvent": ("transaction", _transaction),
    "SecurityEventNotification": ("security", security_event),
    "SignCertificate": ("certificate", certificate_request),
}
