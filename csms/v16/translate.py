"""Turn OCPP 1.6 requests into station events.

Does no I/O, and decides nothing about an EVSE. Before it: `frames`. After it: the host's recorder.

A status whose meaning is clear is taken even where the schema refuses it, and the leniency is noted: a refused status
is a lost one, since a station need not repeat it. With `strict` the schema decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from csms import schemas
from csms.events import (
    Epoch,
    OcppVersion,
    ReportedStatus,
    StationBooted,
    StationEvent,
    StationId,
    StatusReported,
    TransactionIdNeeded,
)
from csms.security import certificate_request, security_event
from csms.translation import MAX_ADDRESS, MAX_WORD, Notes, PayloadReader, Rejected, Translated, Unclear

_VERSION = OcppVersion.V16

# OCPP 1.6 §7.7 ChargePointStatus.
_STATUSES = frozenset(ReportedStatus) - {ReportedStatus.OCCUPIED}

# OCPP 1.6 §4.9 and §7.7: what connectorId 0, the whole station, may report.
_STATION_STATUSES = frozenset({ReportedStatus.AVAILABLE, ReportedStatus.UNAVAILABLE, ReportedStatus.FAULTED})

# OCPP 1.6 §7.6 ChargePointErrorCode, as the schema lists it.
_ERROR_CODES = frozenset(
    {
        "ConnectorLockFailure",
        "EVCommunicationError",
        "GroundFailure",
        "HighTemperature",
        "InternalError",
        "LocalListConflict",
        "NoError",
        "OtherError",
        "OverCurrentFailure",
        "OverVoltage",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "UnderVoltage",
        "WeakSignal",
    }
)

_STATUS_FIELDS = frozenset(
    {"connectorId", "errorCode", "info", "status", "timestamp", "vendorId", "vendorErrorCode"}
)  # OCPP 1.6 §6.47
_BOOT_FIELDS = frozenset(
    {
        "chargeBoxSerialNumber",
        "chargePointModel",
        "chargePointSerialNumber",
        "chargePointVendor",
        "firmwareVersion",
        "iccid",
        "imsi",
        "meterSerialNumber",
        "meterType",
    }
)  # OCPP 1.6 §6.3
_START_FIELDS = frozenset({"connectorId", "idTag", "meterStart", "reservationId", "timestamp"})  # OCPP 1.6 §6.45


def translate(
    action: str, payload: Mapping[str, Any], *, station: StationId, epoch: Epoch, strict: bool
) -> Translated | Rejected:
    """Return the events that a request carries, in order; none for actions that carry no state.

    Source: OCPP 1.6 §6.
    """
    problem = schemas.problems(_VERSION, action, payload)
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
    read = PayloadReader(subject, payload, _BOOT_FIELDS, notes)
    return (
        StationBooted(
            station,
            epoch,
            vendor=read.text("chargePointVendor", required=True),
            model=read.text("chargePointModel", required=True),
            serial=read.text("chargePointSerialNumber") or read.text("chargeBoxSerialNumber"),
            firmware=read.text("firmwareVersion"),
        ),
    )


def _status(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    read = PayloadReader(subject, payload, _STATUS_FIELDS, notes)
    connector = read.number("connectorId", MAX_ADDRESS)
    status = read.status("status", _STATUSES)
    if connector == 0 and status not in _STATION_STATUSES:
        read.note("station_word")
    return (
        StatusReported(
            station,
            epoch,
            _VERSION,
            evse=0,
            connector=connector,
            status=status,
            reported_at=read.text("timestamp", MAX_WORD),
            error_code=_error_code(read),
            vendor_error_code=read.text("vendorErrorCode"),
            info=read.text("info"),
        ),
    )


def _error_code(read: PayloadReader) -> str:
    code = read.text("errorCode", MAX_WORD, required=True)
    if code not in _ERROR_CODES and code:
        read.note("error_code")
    return "" if code.casefold() == "noerror" else code


def _transaction_id_needed(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    connector = PayloadReader(subject, payload, _START_FIELDS, notes).number("connectorId", MAX_ADDRESS)
    return (TransactionIdNeeded(station, epoch, connector),)


def _nothing(
    subject: str, payload: Mapping[str, Any], station: StationId, epoch: Epoch, notes: Notes
) -> tuple[StationEvent, ...]:
    return ()


_EventsOf = Callable[[str, Mapping[str, Any], StationId, Epoch, Notes], tuple[StationEvent, ...]]

_STATELESS: tuple[str, _EventsOf] = ("message", _nothing)

_ROUTES: dict[str, tuple[str, _EventsOf]] = {
    "BootNotification": ("boot", _booted),
    "StatusNotification": ("status", _status),
    "StartTransaction": ("start", _transaction_id_needed),
    "SecurityEventNotification": ("security", security_event),
    "SignCertificate": ("certificate", certificate_request),
}
