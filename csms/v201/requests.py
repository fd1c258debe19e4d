"""Word our requests to OCPP 2.0.1 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability`. After it: `frames.call_text`.
"""

from __future__ import annotations

from typing import Any

from csms.events import ConnectorAddress


def change_availability(address: ConnectorAddress, *, operative: bool) -> dict[str, Any]:
    """Return the ChangeAvailability request for an EVSE, or for one connector of it where the address names one.

    Source: OCPP 2.0.1 Part 2, G03; ChangeAvailabilityRequest.
    """
    connector = {"connectorId": address.connector} if address.connector else {}
    return {
        "operationalStatus": "Operative" if operative else "Inoperative",
        "evse": {"id": address.evse, **connector},
    }
