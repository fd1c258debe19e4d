"""Speak what OCPP 2.0.1 and 2.1 have in common as a charging station, over the `ocpp` package's client.

Decides nothing about when to speak: that is `station`. Before it: `station201` and `station21`, which name the version
and add what only it has. Twin: `station16`.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from ocpp.charge_point import ChargePoint  # type: ignore[import-untyped]
from ocpp.routing import after, on  # type: ignore[import-untyped]
from ocpp.v201.enums import (  # type: ignore[import-untyped]
    BootReasonEnumType,
    ChangeAvailabilityStatusEnumType,
    ConnectorStatusEnumType,
    EventNotificationEnumType,
    EventTriggerEnumType,
    MessageTriggerEnumType,
    OperationalStatusEnumType,
    RegistrationStatusEnumType,
    SetVariableStatusEnumType,
    TransactionEventEnumType,
    TriggerMessageStatusEnumType,
    TriggerReasonEnumType,
)
from websockets.asyncio.client import ClientConnection

from simulators.fleet.behaviour import IN_USE, ConnectorState
from simulators.fleet.credentials import KeyChange
from simulators.fleet.layout import STATION_LEVEL, Address, ReportsBy, StationSpec
from simulators.fleet.quirks import Quirk
from simulators.fleet.wire import (
    Asked,
    BootAnswer,
    BootMessage,
    Dialect,
    HeartbeatMessage,
    Phase,
    StatusMessage,
    TransactionMessage,
)

_STATUS_WORDS: Mapping[ConnectorState, str] = {
    state: "Occupied" if state in IN_USE else state.value for state in ConnectorState
}
"""Source: OCPP 2.0.1 Part 2, ConnectorStatusEnumType."""

_PASSWORD = ("SecurityCtrlr", "BasicAuthPassword")
"""Component and variable. Source: OCPP 2.0.1 Part 2, Appendix 3, SecurityCtrlr."""

_CHARGING_WORDS: Mapping[ConnectorState, str] = {
    ConnectorState.PREPARING: "EVConnected",
    ConnectorState.CHARGING: "Charging",
    ConnectorState.SUSPENDED_EV: "SuspendedEV",
    ConnectorState.SUSPENDED_EVSE: "SuspendedEVSE",
    ConnectorState.FINISHING: "EVConnected",
}
"""Source: OCPP 2.0.1 Part 2, ChargingStateEnumType. Elsewhere the car is gone: Idle."""


def _phase(state: ConnectorState, running: bool) -> Phase | None:
    """Return which transaction event a state brings. Source: OCPP 2.0.1 Part 2, E01 (TxStartPoint EVConnected)."""
    present = state in IN_USE and state is not ConnectorState.FINISHING
    if not running:
        return Phase.STARTED if present else None
    return Phase.UPDATED if present else Phase.ENDED


DIALECT = Dialect(status_words=_STATUS_WORDS, charging_words=_CHARGING_WORDS, phase=_phase, status_first=True)


class Station2x(ChargePoint):  # type: ignore[misc]  # the library has no types
    """One OCPP 2.x connection; the words of 2.0.1's enumerations that it uses are those of 2.1, too."""

    _call: Any
    _call_result: Any
    _model: str

    def __init__(self, spec: StationSpec, connection: ClientConnection, asked: Asked, timeout: timedelta) -> None:
        """Speak over an open connection; `asked` is told what the server triggers."""
        super().__init__(
            spec.station,
            connection,
            response_timeout=timeout.total_seconds(),
            logger=logging.getLogger("simulators.ocpp"),
        )
        self._spec = spec
        self._asked = asked
        self._event_ids = itertools.count(1)
        self._has_new_key = False

    async def boot(self) -> BootAnswer:
        """Send BootNotification. Source: OCPP 2.0.1 Part 2, B01."""
        answer = await self._ask(
            self._call.BootNotification(
                charging_station={
                    "model": self._model,
                    "vendor_name": "ocpp-sim",
                    "serial_number": self._spec.serial or self._spec.station,
                    "firmware_version": "1.0.0",
                },
                reason=BootReasonEnumType.power_up,
            )
        )
        return BootAnswer(answer.status == RegistrationStatusEnumType.accepted, timedelta(seconds=answer.interval))

    async def report_status(self, message: StatusMessage, at: str) -> None:
        """Send StatusNotification, or NotifyEvent with AvailabilityState. Source: OCPP 2.0.1 Part 2, G01."""
        match self._spec.reports_by:
            case ReportsBy.STATUS_NOTIFICATION:
                await self._ask(
                    self._call.StatusNotification(
                        timestamp=at,
                        connector_status=ConnectorStatusEnumType(message.word),
                        evse_id=message.address.evse,
                        connector_id=message.address.connector,
                    )
                )
            case ReportsBy.NOTIFY_EVENT:
                await self._ask(
                    self._call.NotifyEvent(generated_at=at, seq_no=0, event_data=[self._event(message, at)])
                )

    def _event(self, message: StatusMessage, at: str) -> Any:
        return {
            "event_id": next(self._event_ids),
            "timestamp": at,
            "trigger": EventTriggerEnumType.delta,
            "actual_value": message.word,
            "event_notification_type": EventNotificationEnumType.hard_wired_notification,
            "component": _component(message.address),
            "variable": {"name": "AvailabilityState"},
        }

    async def report_transaction(self, message: TransactionMessage) -> None:
        """Send TransactionEvent. Source: OCPP 2.0.1 Part 2, E01 to E06."""
        address = message.visit.address
        await self._ask(
            self._call.TransactionEvent(
                event_type=TransactionEventEnumType(message.phase.value),
                timestamp=message.at,
                trigger_reason=_reason(message),
                seq_no=message.seq_no,
                transaction_info={
                    "transaction_id": message.visit.transaction,
                    "charging_state": _CHARGING_WORDS.get(message.state, "Idle"),
                },
                meter_value=[{"timestamp": message.at, "sampled_value": [{"value": message.meter_wh}]}],
                offline=True if message.offline else None,
                evse={"id": address.evse, "connector_id": address.connector},
            )
        )

    async def heartbeat(self) -> None:
        """Send Heartbeat. Source: OCPP 2.0.1 Part 2, G02."""
        await self._ask(self._call.Heartbeat())

    async def _ask(self, payload: Any) -> Any:
        return await self.call(payload, suppress=False)

    @on("TriggerMessage")  # type: ignore[untyped-decorator]
    def _on_trigger(self, requested_message: str, evse: Mapping[str, int] | None = None) -> Any:
        """Answer TriggerMessage. Source: OCPP 2.0.1 Part 2, F06."""
        return self._call_result.TriggerMessage(status=self._judge(requested_message, evse))

    @after("TriggerMessage")  # type: ignore[untyped-decorator]
    def _after_trigger(self, requested_message: str, evse: Mapping[str, int] | None = None) -> None:
        """Send what was asked for, after the response (OCPP 2.0.1 Part 2, F06)."""
        if self._judge(requested_message, evse) != TriggerMessageStatusEnumType.accepted:
            return
        match requested_message:
            case MessageTriggerEnumType.status_notification.value:
                self._asked.statuses_wanted(_address(evse))
            case MessageTriggerEnumType.heartbeat.value:
                self._asked.message_wanted(HeartbeatMessage())
            case _:
                self._asked.message_wanted(BootMessage())

    @on("SetVariables")  # type: ignore[untyped-decorator]
    def _on_variables(self, set_variable_data: Sequence[Mapping[str, Any]]) -> Any:
        """Answer SetVariables: the key is all that can be set. Source: OCPP 2.0.1 Part 2, B05 and A01."""
        self._has_new_key = False
        return self._call_result.SetVariables(set_variable_result=[self._set(one) for one in set_variable_data])

    @after("SetVariables")  # type: ignore[untyped-decorator]
    def _after_variables(self, set_variable_data: Sequence[Mapping[str, Any]]) -> None:
        """Connect anew with the new key (OCPP 2.0.1 Part 2, A01)."""
        if self._has_new_key:
            self._asked.reconnect_wanted()

    def _set(self, one: Mapping[str, Any]) -> Mapping[str, Any]:
        named = {"component": one["component"], "variable": one["variable"]}
        if (one["component"]["name"], one["variable"]["name"]) != _PASSWORD:
            return {"attribute_status": SetVariableStatusEnumType.unknown_component, **named}
        self._has_new_key = self._asked.key_wanted(one["attribute_value"]) is not KeyChange.REJECTED
        accepted, rejected = SetVariableStatusEnumType.accepted, SetVariableStatusEnumType.rejected
        return {"attribute_status": accepted if self._has_new_key else rejected, **named}

    @on("ChangeAvailability")  # type: ignore[untyped-decorator]
    def _on_change(self, operational_status: str, evse: Mapping[str, int] | None = None) -> Any:
        """Answer ChangeAvailability. Source: OCPP 2.0.1 Part 2, G03 and G04."""
        addresses = self._meant(evse)
        if not addresses:
            return self._call_result.ChangeAvailability(status=ChangeAvailabilityStatusEnumType.rejected)
        operative = operational_status == OperationalStatusEnumType.operative.value
        done = self._asked.availability_wanted(addresses, operative=operative)
        return self._call_result.ChangeAvailability(
            status=ChangeAvailabilityStatusEnumType.accepted if done else ChangeAvailabilityStatusEnumType.scheduled
        )

    @after("ChangeAvailability")  # type: ignore[untyped-decorator]
    def _after_change(self, operational_status: str, evse: Mapping[str, int] | None = None) -> None:
        """Report the new statuses after the response."""
        self._asked.availability_changed(self._meant(evse))

    def _meant(self, evse: Mapping[str, int] | None) -> tuple[Address, ...]:
        """Return what is named: a connector, all of an EVSE, or the station with all it has (G03, G04)."""
        if evse is None:
            return self._spec.reported
        wanted = evse.get("connector_id")
        return tuple(one for one in self._spec.connectors if one.evse == evse["id"] and wanted in (None, one.connector))

    def _judge(self, requested_message: str, evse: Mapping[str, int] | None) -> TriggerMessageStatusEnumType:
        match requested_message:
            case MessageTriggerEnumType.status_notification.value:
                known = _address(evse) in self._spec.connectors and Quirk.REJECTS_TRIGGER not in self._spec.quirks
                return TriggerMessageStatusEnumType.accepted if known else TriggerMessageStatusEnumType.rejected
            case MessageTriggerEnumType.heartbeat.value | MessageTriggerEnumType.boot_notification.value:
                return TriggerMessageStatusEnumType.accepted
            case _:
                return TriggerMessageStatusEnumType.not_implemented


def _address(evse: Mapping[str, int] | None) -> Address | None:
    """Return the connector that a trigger names; None where it is not complete.

    "the CSMS SHALL … specify the evse.id and evse.connectorId" for StatusNotification (OCPP 2.0.1 F06.FR.13).
    """
    if evse is None or "connector_id" not in evse:
        return None
    return Address(evse["id"], evse["connector_id"])


def _component(address: Address) -> Any:
    if address == STATION_LEVEL:
        return {"name": "ChargingStation"}
    return {"name": "Connector", "evse": {"id": address.evse, "connector_id": address.connector}}


def _reason(message: TransactionMessage) -> TriggerReasonEnumType:
    match message.phase:
        case Phase.STARTED:
            return TriggerReasonEnumType.cable_plugged_in
        case Phase.UPDATED:
            return TriggerReasonEnumType.charging_state_changed
        case Phase.ENDED if message.state is ConnectorState.FINISHING:
            return TriggerReasonEnumType.stop_authorized
        case Phase.ENDED:
            return TriggerReasonEnumType.ev_departed
