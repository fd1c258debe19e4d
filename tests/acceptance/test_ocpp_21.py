"""A station of OCPP 2.1 from its handshake to both hubs: by NotifyEvent, which 2.1 prefers, and by a SEND."""

from __future__ import annotations

import base64
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.acceptance.conftest import MakeSite
from tests.acceptance.processes import until

KEY = "ocpp-2.1-station-key"
COLUMNS = "station,version,key,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"
ROW = f"NEWEST,2.1,{KEY},1,1,DE*ABC*E21,demo,newest-site,newest-point"
NOW = "2026-11-26T10:00:00Z"
OCCUPIED = {
    "eventId": 1,
    "timestamp": NOW,
    "trigger": "Delta",
    "actualValue": "Occupied",
    "eventNotificationType": "HardWiredNotification",
    "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
    "variable": {"name": "AvailabilityState"},
    "severity": 9,
}


async def test_status_of_a_21_station_reaches_the_hubs_whether_it_is_called_or_sent(make_site: MakeSite) -> None:
    site = make_site(OCPP__SETTLE_AFTER_BOOT="10 min")
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(f"{COLUMNS}\n{ROW}\n")

    async def told(*expected: str) -> bool:
        held = [await hub.state() for hub in site.hubs.values()]
        return held == [{"DE*ABC*E21": expected[0]}, {"newest-site/newest-point": expected[1]}]

    basic = base64.b64encode(f"NEWEST:{KEY}".encode()).decode()
    async with connect(
        f"{site.ocpp_url}/NEWEST",
        subprotocols=["ocpp2.1", "ocpp2.0.1"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Basic {basic}"},
        proxy=None,
    ) as socket:
        assert socket.subprotocol == "ocpp2.1"
        boot = {"reason": "PowerUp", "chargingStation": {"model": "Model", "vendorName": "Vendor"}}
        assert (await call(socket, "BootNotification", boot))["status"] == "Accepted"
        assert await call(socket, "NotifyEvent", {"generatedAt": NOW, "seqNo": 0, "eventData": [OCCUPIED]}) == {}
        await until(lambda: told("Occupied", "occupied"), 10, "Occupied at both hubs")
        status = {"timestamp": NOW, "connectorStatus": "Faulted", "evseId": 1, "connectorId": 1}
        await socket.send(json.dumps([6, "sent", "StatusNotification", status]))
        await until(lambda: told("OutOfService", "maintainance"), 10, "Faulted at both hubs")
    await site.assert_rules_kept()


async def call(socket: ClientConnection, action: str, payload: dict[str, Any]) -> Any:
    """Send a CALL, and return the payload of its CALLRESULT."""
    await socket.send(json.dumps([2, action, action, payload]))
    kind, answered, result = json.loads(await socket.recv())
    assert (kind, answered) == (3, action)
    return result
