"""Name the fields of the OCPP 2.0.1 messages that carry state: `translate` reads these and drops the rest.

Pure data. After it: `translate`; `v21.fields`, which names what its version has added.

Source: OCPP 2.0.1 Part 2, Messages and Datatypes.
"""

from __future__ import annotations

from dataclasses import dataclass

from csms.events import OcppVersion


@dataclass(frozen=True, slots=True)
class Fields:
    """The names of one 2.x version, by the object that has them."""

    version: OcppVersion
    status: frozenset[str]
    """StatusNotificationRequest."""
    boot: frozenset[str]
    """BootNotificationRequest."""
    station: frozenset[str]
    """ChargingStationType."""
    notify: frozenset[str]
    """NotifyEventRequest."""
    event: frozenset[str]
    """EventDataType."""
    component: frozenset[str]
    variable: frozenset[str]
    evse: frozenset[str]
    transaction_event: frozenset[str]
    """TransactionEventRequest."""
    transaction: frozenset[str]
    """TransactionType."""


FIELDS = Fields(
    version=OcppVersion.V201,
    status=frozenset({"connectorId", "connectorStatus", "customData", "evseId", "timestamp"}),
    boot=frozenset({"chargingStation", "customData", "reason"}),
    station=frozenset({"customData", "firmwareVersion", "model", "modem", "serialNumber", "vendorName"}),
    notify=frozenset({"customData", "eventData", "generatedAt", "seqNo", "tbc"}),
    event=frozenset(
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
    ),
    component=frozenset({"customData", "evse", "instance", "name"}),
    variable=frozenset({"customData", "instance", "name"}),
    evse=frozenset({"connectorId", "customData", "id"}),
    transaction_event=frozenset(
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
    ),
    transaction=frozenset(
        {"chargingState", "customData", "remoteStartId", "stoppedReason", "timeSpentCharging", "transactionId"}
    ),
)
