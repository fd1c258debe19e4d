"""Word our requests to OCPP 2.0.1 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability` and `verbs`. After it: `frames.call_text`.
The twin of `v16.requests`: same names, same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csms.events import ConnectorAddress
from csms.orders import Impossible, Request, ResetKind


def change_availability(address: ConnectorAddress, *, operative: bool) -> dict[str, Any]:
    """Return the ChangeAvailability request for an EVSE, or for one connector of it; (0, 0) is the whole station.

    Source: OCPP 2.0.1 Part 2, G03 and G04; ChangeAvailabilityRequest.
    """
    connector = {"connectorId": address.connector} if address.connector else {}
    evse = {"evse": {"id": address.evse, **connector}} if address.evse else {}
    return {"operationalStatus": "Operative" if operative else "Inoperative", **evse}


def trigger(message: str, evse: int | None, connector: int | None) -> Request:
    """Ask the station to send a message. Source: OCPP 2.0.1 Part 2, F06; F06.FR.13 (a status needs its connector)."""
    if message == "StatusNotification" and connector is None:
        raise Impossible("connector", "a StatusNotification is triggered for one connector: name its EVSE and itself")
    named = {} if evse is None and connector is None else {"evse": _evse(evse, connector)}
    return Request("TriggerMessage", {"requestedMessage": message, **named})


def availability(evse: int | None, connector: int | None, *, operative: bool) -> Request:
    """Take a connector, an EVSE, or with none named the station, in or out of service.

    Source: OCPP 2.0.1 Part 2, G03 and G04.
    """
    named = {} if evse is None and connector is None else {"evse": _evse(evse, connector)}
    return Request("ChangeAvailability", {"operationalStatus": "Operative" if operative else "Inoperative", **named})


def reset(kind: ResetKind, evse: int | None) -> Request:
    """Restart the station or one EVSE of it. Source: OCPP 2.0.1 Part 2, B11 and B12; ResetEnumType."""
    named = {} if evse is None else {"evseId": evse}
    return Request("Reset", {"type": "Immediate" if kind is ResetKind.HARD else "OnIdle", **named})


def get_configuration(keys: Sequence[str]) -> Request:
    """Read these variables, each as Component.Variable. Source: OCPP 2.0.1 Part 2, B06 GetVariablesRequest."""
    if not keys:
        raise Impossible("keys", "OCPP 2.x cannot ask for all: name variables as Component.Variable, or call GetReport")
    return Request("GetVariables", {"getVariableData": [_variable(key) for key in keys]})


def set_configuration(key: str, value: str) -> Request:
    """Write one variable, named as Component.Variable. Source: OCPP 2.0.1 Part 2, B05 SetVariablesRequest."""
    return Request("SetVariables", {"setVariableData": [{"attributeValue": value, **_variable(key)}]})


def unlock(evse: int | None, connector: int) -> Request:
    """Unlock a connector. Source: OCPP 2.0.1 Part 2, F05 UnlockConnectorRequest."""
    place = _evse(evse, connector)
    return Request("UnlockConnector", {"evseId": place["id"], "connectorId": place["connectorId"]})


def set_key(key: str) -> Request:
    """Give the station another key, as it is. Source: OCPP 2.0.1 Part 2, A01.FR.02; SecurityCtrlr.BasicAuthPassword."""
    return set_configuration("SecurityCtrlr.BasicAuthPassword", key)


def _evse(evse: int | None, connector: int | None) -> dict[str, int]:
    if evse is None:
        raise Impossible("evse", "this station speaks OCPP 2.x, which numbers connectors within an EVSE: name the EVSE")
    if evse < 1:
        raise Impossible("evse", "must be 1 or more")
    if connector is None:
        return {"id": evse}
    if connector < 1:
        raise Impossible("connector", "must be 1 or more")
    return {"id": evse, "connectorId": connector}


def _variable(key: str) -> dict[str, Any]:
    component, dot, variable = key.partition(".")
    if not (component and dot and variable):
        raise Impossible("key", "must be Component.Variable, for example OCPPCommCtrlr.HeartbeatInterval")
    return {"component": {"name": component}, "variable": {"name": variable}}
