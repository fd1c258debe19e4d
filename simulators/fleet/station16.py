"""Speak OCPP 1.6 as a charging station, over the `ocpp` package's client.

Decides nothing about when to speak: that is `station`. Twin: `station2x`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ocpp.routing import after, on  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint, call, call_result  # type: ignore[import-untyped]
from ocpp.v16.enums import (  # type: ignore[import-untyped]
    AvailabilityStatus,
    AvailabilityType,
    ChargePointErrorCode,
    ChargePointStatus,
    ConfigurationStatus,
    MessageTrigger,
    Reason,
    RegistrationStatus,
    TriggerMessageStatus,
)
from websockets.asyncio.client import ClientConnection

from simulators.fleet.behaviour import ConnectorState
from simulators.fleet.credentials import KeyChange
from simulators.fleet.layout import Address, StationSpec
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

SUBPROTOCOL = "ocpp1.6"

_KEY = "AuthorizationKey"
"""Source: OCPP 1.6 Security Whitepaper §7.2."""

_STATUS_WORDS: Mapping[ConnectorState, str] = {state: state.value for state in ConnectorState}
"""The states bear the names of OCPP 1.6 §7.7 ChargePointStatus."""

_RUNS_ON = frozenset({ConnectorState.CHARGING, ConnectorState.SUSPENDED_EV, ConnectorState.SUSPENDED_EVSE})


def _phase(state: ConnectorState, running: bool) -> Phase | None:
    """Return which transaction event a state brings. Source: OCPP 1.6 §4.8, §4.10."""
    if not running:
        return Phase.STARTED if state is ConnectorState.CHARGING else None
    return None if state in _RUNS_ON else Phase.ENDED


DIALECT = Dialect(status_words=_STATUS_WORDS, charging_words={}, phase=_phase, status_first=False)


class Station16(ChargePoint):  # type: ignore[misc]  # the library has no types
    """One OCPP 1.6 connection."""

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
        self._has_new_key = False

    async def boot(self) -> BootAnswer:
        """Send BootNotification. Source: OCPP 1.6 §4.2."""
        answer = await self._ask(
            call.BootNotification(
                charge_point_model="Simulated-16",
                charge_point_vendor="ocpp-sim",
                charge_point_serial_number=self._spec.serial or self._spec.station,
                firmware_version="1.0.0",
            )
        )
        return BootAnswer(answer.status == RegistrationStatus.accepted, timedelta(seconds=answer.interval))

    async def report_status(self, message: StatusMessage, at: str) -> None:
        """Send StatusNotification. Source: OCPP 1.6 §4.9."""
        broken = message.word == ChargePointStatus.faulted.value
        await self._ask(
            call.StatusNotification(
                connector_id=message.address.connector,
                error_code=ChargePointErrorCode.ground_failure if broken else ChargePointErrorCode.no_error,
                status=ChargePointStatus(message.word),
                timestamp=at,
            )
        )

    async def report_transaction(self, message: TransactionMessage) -> None:
        """Send StartTransaction, MeterValues or StopTransaction. Source: OCPP 1.6 §4.8, §4.7, §4.10."""
        visit = message.visit
        match message.phase:
            case Phase.STARTED:
                answer = await self._ask(
                    call.StartTransaction(
                        connector_id=visit.address.connector,
                        id_tag="SIM-TAG",
                        meter_start=message.meter_wh,
                        timestamp=message.at,
                    )
                )
                visit.transaction_id = answer.transaction_id
            case Phase.UPDATED:
                await self._ask(
                    call.MeterValues(
                        connector_id=visit.address.connector,
                        meter_value=[{"timestamp": message.at, "sampled_value": [{"value": str(message.meter_wh)}]}],
                        transaction_id=visit.transaction_id,
                    )
                )
            case Phase.ENDED:
                await self._stop_transaction(message)

    async def _stop_transaction(self, message: TransactionMessage) -> None:
        if message.visit.transaction_id is None:
            return  # its StartTransaction was refused: the server knows of nothing that could be stopped
        await self._ask(
            call.StopTransaction(
                meter_stop=message.meter_wh,
                timestamp=message.at,
                transaction_id=message.visit.transaction_id,
                reason=Reason.local if message.state is ConnectorState.FINISHING else Reason.ev_disconnected,
            )
        )

    async def heartbeat(self) -> None:
        """Send Heartbeat. Source: OCPP 1.6 §4.6."""
        await self._ask(call.Heartbeat())

    async def _ask(self, payload: Any) -> Any:
        return await self.call(payload, suppress=False)

    @on("TriggerMessage")  # type: ignore[untyped-decorator]
    def _on_trigger(self, requested_message: str, connector_id: int | None = None) -> Any:
        """Answer TriggerMessage. Source: OCPP 1.6 §5.17."""
        return call_result.TriggerMessage(status=self._judge(requested_message, connector_id))

    @after("TriggerMessage")  # type: ignore[untyped-decorator]
    def _after_trigger(self, requested_message: str, connector_id: int | None = None) -> None:
        """Send what was asked for. "The requested message SHALL be sent after the response" (OCPP 1.6 §5.17)."""
        if self._judge(requested_message, connector_id) != TriggerMessageStatus.accepted:
            return
        match requested_message:
            case MessageTrigger.status_notification.value:
                self._asked.statuses_wanted(None if connector_id is None else Address(0, connector_id))
            case MessageTrigger.heartbeat.value:
                self._asked.message_wanted(HeartbeatMessage())
            case _:
                self._asked.message_wanted(BootMessage())

    @on("ChangeConfiguration")  # type: ignore[untyped-decorator]
    def _on_configuration(self, key: str, value: str) -> Any:
        """Answer ChangeConfiguration: the key is all that can be changed. Source: OCPP 1.6 §5.3."""
        self._has_new_key = False
        if key != _KEY:
            return call_result.ChangeConfiguration(status=ConfigurationStatus.not_supported)
        self._has_new_key = self._asked.key_wanted(value) is not KeyChange.REJECTED
        return call_result.ChangeConfiguration(
            status=ConfigurationStatus.accepted if self._has_new_key else ConfigurationStatus.rejected
        )

    @after("ChangeConfiguration")  # type: ignore[untyped-decorator]
    def _after_configuration(self, key: str, value: str) -> None:
        """Connect anew with the new key (OCPP 1.6 Security Whitepaper, A01)."""
        if self._has_new_key:
            self._asked.reconnect_wanted()

    @on("ChangeAvailability")  # type: ignore[untyped-decorator]
    def _on_change(self, connector_id: int, type: str) -> Any:
        """Answer ChangeAvailability. Source: OCPP 1.6 §5.2."""
        addresses = self._meant(connector_id)
        if not addresses:
            return call_result.ChangeAvailability(status=AvailabilityStatus.rejected)
        done = self._asked.availability_wanted(addresses, operative=type == AvailabilityType.operative.value)
        return call_result.ChangeAvailability(
            status=AvailabilityStatus.accepted if done else AvailabilityStatus.scheduled
        )

    @after("ChangeAvailability")  # type: ignore[untyped-decorator]
    def _after_change(self, connector_id: int, type: str) -> None:
        """Report the new statuses after the response."""
        self._asked.availability_changed(self._meant(connector_id))

    def _meant(self, connector_id: int) -> tuple[Address, ...]:
        """Return what a connectorId names; "if the id is 0 […] the Charge Point and all connectors" (OCPP 1.6 §6.7)."""
        return tuple(one for one in self._spec.reported if connector_id in (0, one.connector))

    def _judge(self, requested_message: str, connector_id: int | None) -> TriggerMessageStatus:
        match requested_message:
            case MessageTrigger.status_notification.value:
                known = connector_id is None or Address(0, connector_id) in self._spec.reported
                taken = known and Quirk.REJECTS_TRIGGER not in self._spec.quirks
                return TriggerMessageStatus.accepted if taken else TriggerMessageStatus.rejected
            case MessageTrigger.heartbeat.value | MessageTrigger.boot_notification.value:
                return TriggerMessageStatus.accepted
            case _:
                return TriggerMessageStatus.not_implemented
