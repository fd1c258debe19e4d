"""Word our requests to OCPP 1.6 stations.

Does no I/O, and decides nothing about when to ask. Before it: `availability`. After it: `frames.call_text`.
"""

from __future__ import annotations

from typing import Any

from csms.events import ConnectorAddress


def change_availability(address: ConnectorAddress, *, operative: bool) -> dict[str, Any]:
    """Return the ChangeAvailability request for one connector. Source: OCPP 1.6 §6.7 ChangeAvailability.req."""
    return {"connectorId": address.connector, "type": "Operative" if operative else "Inoperative"}
