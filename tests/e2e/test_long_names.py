"""Names as long as they may be, of what somebody else controls: nothing runs out of the window, nothing is cut."""

from __future__ import annotations

import pytest

from tests.acceptance.harness import Site
from tests.acceptance.scripted import KEY, ScriptedStation
from tests.e2e.browsing import DESKTOP, PHONE, Visitors, overflow
from tests.e2e.scenes import told

STATION = "W" * 48
EVSE = "DE*ABC*E" + "9" * 30
INVENTORY = (
    "station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point\n"
    f"{STATION},1.6,{KEY},1,{EVSE},demo,{'s' * 60},{'p' * 60}\n"
)
BOOT = {
    "chargePointVendor": "<b>" + "V" * 17,
    "chargePointModel": "M" * 20,
    "chargePointSerialNumber": "S" * 25,
    "firmwareVersion": "F" * 50,
}
FAULT = {
    "connectorId": 1,
    "errorCode": "OtherError",
    "status": "Faulted",
    "info": "i" * 50,
    "vendorId": "v" * 255,
    "vendorErrorCode": "e" * 50,
}
PATHS = (
    f"/?q={EVSE}",
    f"/evses/{EVSE}",
    f"/stations?q={STATION}",
    f"/stations/{STATION}",
    f"/deliveries?evse_id={EVSE}",
    f"/temporary?evse={EVSE}",
    f"/temporary/new?evse={EVSE}",
)


@pytest.mark.parametrize("size", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")])
async def test_long_names_wrap(visitors: Visitors, quiet_site: Site, size: tuple[int, int]) -> None:
    await quiet_site.import_inventory(INVENTORY)
    async with ScriptedStation(quiet_site.ocpp_url, STATION) as station:
        await station.call("BootNotification", BOOT)
        await station.call("StatusNotification", FAULT)
        await told(quiet_site, "OutOfService", EVSE)
        made = await quiet_site.order("temporary-statuses", {"evse_ids": [EVSE], "status": "MAINTENANCE"})
        page = await visitors.open(quiet_site, "/", size=size)
        too_wide = {}
        for path in PATHS:
            await page.goto(path)
            too_wide[path] = await overflow(page)
        assert {path: width for path, width in too_wide.items() if width > 0} == {}
        assert made["items"][0]["evse_id"] == EVSE
        await page.goto("/temporary")
        await page.get_by_role("row", name=EVSE).get_by_role("button", name="End now").click()
