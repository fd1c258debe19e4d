"""Say what stations of each OCPP version say of a connector, word for word as the standards have it.

After it: `tests.acceptance.scripted`, which sends it. Source: OCPP 1.6 §6.47; OCPP 2.0.1 Part 2, G01 and N07.
"""

from __future__ import annotations

from typing import Any

from tests.acceptance.scripted import KEY, evse_id

NOW = "2026-11-26T03:00:00Z"
HEADER = "station,version,key,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"


def row(station: str, version: str, evse: int | None, connector: int, which: str = "") -> str:
    """Return a line of the inventory for one connector; `which` tells the station's EVSEs apart."""
    number = "" if evse is None else str(evse)
    return f"{station},{version},{KEY},{number},{connector},{evse_id(station)}{which},demo,{station}-site,p{which[1:]}"


def inventory_of(*rows: str) -> str:
    """Return the inventory with these lines."""
    return "\n".join([HEADER, *rows]) + "\n"


def status16(connector: int, status: str, **more: Any) -> dict[str, Any]:
    """Return a StatusNotification of OCPP 1.6; without a timestamp, which is optional."""
    return {"connectorId": connector, "errorCode": "NoError", "status": status, **more}


def status201(evse: int, connector: int, status: str, timestamp: str = NOW) -> dict[str, Any]:
    """Return a StatusNotification of OCPP 2.0.1."""
    return {"timestamp": timestamp, "connectorStatus": status, "evseId": evse, "connectorId": connector}


def event201(evse: int, connector: int, status: str, timestamp: str = NOW) -> dict[str, Any]:
    """Return a NotifyEvent of OCPP 2.0.1 about a connector's AvailabilityState."""
    data = {
        "eventId": 1,
        "timestamp": timestamp,
        "trigger": "Delta",
        "actualValue": status,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": evse, "connectorId": connector}},
        "variable": {"name": "AvailabilityState"},
    }
    return {"generatedAt": timestamp, "seqNo": 0, "eventData": [data]}


BOOT_201 = {"reason": "PowerUp", "chargingStation": {"model": "one", "vendorName": "scripted"}}
