"""Turn OCPP 2.0.1 requests into station events.

Does no I/O, and decides nothing about an EVSE. Before it: `frames`. Beside it: `fields`, what the version calls what we
read; `v21.translate` brings its own. After it: the host's recorder.

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
from csms.v201.fields import FIELDS, Fields

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


def translate(
    action: str, payload: Mapping[str, Any], *, station: StationId, epoch: Epoch, strict: bool
) -> Translated | Rejected:
    """Return the events that a request carries, in order; none for actions that carry no state.

    Source: OCPP 2.0.1 Part 2, Messages.
    """
    return translate_as(FIELDS, action, payload, station=station, epoch=epoch, strict=strict)


def translate_as(
    fields: Fields, action: str, payload: Mapping[str, Any], *, station: StationId, epoch: Epoch, strict: bool
) -> Translated | Rejected:
    """Translate for the 2.x version that `fields` is of: they differ in field names, not in what these mean."""
    problem = schemas.problems(fields.version, action, payload)
    if problem is not None and strict:
        return Rejected(*problem)
    subject, events_of = _ROUTES.get(action, _STATELESS)
    notes: Notes = {}
    try:
        events = events_of(fields, subject, payload, station, epoch, notes)
    except Unclear as unclear:
        return Rejected(unclear.fault, unclear.description)
    if problem is not None and not notes:
        notes[f"{subject}_lenient_schema"] = None
    return Translated(events, tuple(notes))


def _booted(
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, fields.boot, notes).object("chargingStation", fields.station)
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
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, fields.status, notes)
    evse = read.number("evseId", MAX_ADDRESS)
    connector = read.number("connectorId", MAX_ADDRESS)
    if evse == 0 and connector != 0:
        raise Unclear(Fault.PROPERTY_CONSTRAINT, "evseId 0 is the station, and has no connectors")
    return (
        StatusReported(
            station,
            epoch,
            fields.version,
            evse=evse,
            connector=connector,
            status=read.status("connectorStatus", _STATUSES),
            reported_at=read.text("timestamp", MAX_WORD, required=True),
        ),
    )


def _availabilities(
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    """Read every AvailabilityState of a NotifyEvent; an unclear one is skipped, since its neighbours are clear.

    Source: OCPP 2.0.1 Part 2 G01.FR.01 to 09; components Connector, EVSE and ChargingStation.
    """
    read = PayloadReader(subject, payload, fields.notify, notes)
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
            event = _availability(fields, subject, entry, station, epoch, notes)
        except Unclear:
            read.note("skipped")
            continue
        if event is not None:
            events.append(event)
    return tuple(events)


def _availability(
    fields: Fields, subject: str, entry: object, station: StationId, epoch: Epoch, notes: Notes
) -> StatusReported | None:
    """Return the status of one eventData entry; None where it is about something else. Raises: Unclear."""
    if type(entry) is not dict:
        raise Unclear(Fault.TYPE_CONSTRAINT, "eventData is not an object")
    read = PayloadReader(subject, entry, fields.event, notes)
    if _name(read.object("variable", fields.variable)) != _AVAILABILITY:
        return None
    address = _address(fields, read.object("component", fields.component))
    if address is None:
        return None
    evse, connector = address
    return StatusReported(
        station,
        epoch,
        fields.version,
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


def _address(fields: Fields, component: PayloadReader) -> tuple[int, int] | None:
    """Return (evse, connector) of a component that has an availability, None for others. Raises: Unclear."""
    match _name(component):
        case "connector":
            evse = component.object("evse", fields.evse)
            return _number_from_1(evse, "id"), _number_from_1(evse, "connectorId")
        case "evse":
            return _number_from_1(component.object("evse", fields.evse), "id"), 0
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
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, fields.transaction_event, notes)
    info = read.object("transactionInfo", fields.transaction)
    transaction = info.text("transactionId", MAX_WORD)
    if not transaction:
        raise Unclear(Fault.MISSING_FIELD, "transactionInfo.transactionId is missing")
    evse, connector = _evse(fields, read)
    return (
        TransactionReported(
            station,
            epoch,
            fields.version,
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


def _evse(fields: Fields, read: PayloadReader) -> tuple[int | None, int | None]:
    """Return EVSE and connector of a transaction; None where unclear: it then belongs to the EVSE of its transaction.

    Raises: Unclear, where a number is out of range.
    """
    value = read.value("evse")
    if value is None:
        return None, None
    if type(value) is int:
        read.note("type")
        evse = PayloadReader("transaction", {"id": value}, fields.evse, read.notes)
    else:
        evse = read.object("evse", fields.evse)
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
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    return ()


def _security_event(
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    return security_event(subject, payload, station, epoch, notes)


def _certificate_request(
    fields: Fields, subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    return certificate_request(subject, payload, station, epoch, notes)


_EventsOf = Callable[[Fields, str, Mapping[str, Any], StationId, Epoch, Notes], tuple[StationEvent, ...]]

_STATELESS: tuple[str, _EventsOf] = ("message", _nothing)

_ROUTES: dict[str, tuple[str, _EventsOf]] = {
    "BootNotification": ("boot", _booted),
    "StatusNotification": ("status", _status),
    "NotifyEvent": ("event", _availabilities),
    "TransactionEvent": ("transaction", _transaction),
    "SecurityEventNotification": ("security", _security_event),
    "SignCertificate": ("certificate", _certificate_request),
}
