"""Word our requests to OCPP 1.6 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability` and `verbs`. After it: `frames.call_text`.
The twin of `v201.requests`: same names, same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csms.events import ConnectorAddress
from csms.orders import Impossible, Request, ResetKind

_EXTENDED_ONLY = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
"""What ExtendedTriggerMessage.req has and TriggerMessage.req has not. Source: OCPP 1.6 security whitepaper,
MessageTriggerEnumType; OCPP 1.6 §7, MessageTrigger."""


def change_availability(address: ConnectorAddress, *, operative: bool) -> dict[str, Any]:
    """Return the ChangeAvailability request for one connector; 0 is the whole station.

    Source: OCPP 1.6 §6.7 ChangeAvailability.req.
    """
    return {"connectorId": address.connector, "type": "Operative" if operative else "Inoperative"}


def trigger(message: str, evse: int | None, connector: int | None) -> Request:
    """Ask the station to send a message. Source: OCPP 1.6 §6.51 TriggerMessage.req; whitepaper §5, A02 and N01."""
    named = {} if connector is None else {"connectorId": _connector(evse, connector)}
    action = "ExtendedTriggerMessage" if message in _EXTENDED_ONLY else "TriggerMessage"
    _no_evse(evse)
    return Request(action, {"requestedMessage": message, **named})


def availability(evse: int | None, connector: int | None, *, operative: bool) -> Request:
    """Take a connector, or with none named the station, in or out of service. Source: OCPP 1.6 §6.7."""
    _no_evse(evse)
    address = ConnectorAddress(0, connector or 0)
    return Request("ChangeAvailability", change_availability(address, operative=operative))


def reset(kind: ResetKind, evse: int | None) -> Request:
    """Restart the station. Source: OCPP 1.6 §6.39 Reset.req, ResetType."""
    _no_evse(evse)
    return Request("Reset", {"type": "Hard" if kind is ResetKind.HARD else "Soft"})


def get_configuration(keys: Sequence[str]) -> Request:
    """Read these keys, or all where none is named. Source: OCPP 1.6 §6.23 GetConfiguration.req."""
    return Request("GetConfiguration", {"key": list(keys)} if keys else {})


def set_configuration(key: str, value: str) -> Request:
    """Write one key. Source: OCPP 1.6 §6.9 ChangeConfiguration.req."""
    return Request("ChangeConfiguration", {"key": key, "value": value})


def unlock(evse: int | None, connector: int) -> Request:
    """Unlock a connector. Source: OCPP 1.6 §6.53 UnlockConnector.req, connectorId > 0."""
    return Request("UnlockConnector", {"connectorId": _connector(evse, connector)})


def set_key(key: str) -> Request:
    """Give the station another key, as hex digits. Source: OCPP 1.6 security whitepaper §7.2 AuthorizationKey."""
    return set_configuration("AuthorizationKey", key)


def _connector(evse: int | None, connector: int) -> int:
    _no_evse(evse)
    if connector < 1:
        raise Impossible("connector", "must be 1 or more")
    return connector


def _no_evse(evse: int | None) -> None:
    if evse is not None:
        raise Impossible("evse", "this station speaks OCPP 1.6, which knows no EVSEs: name the connector alone")
