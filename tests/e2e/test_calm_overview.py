"""A small network at a calm moment, as its operator sees it: each trouble comes first, and everybody else agrees.

The pictures of the overview are made here: a fleet that has just begun would show nothing but what is on its way.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import KEY, ScriptedStation
from tests.e2e.browsing import PHONE, Visitors, overflow, shoot
from tests.e2e.scenes import running_site, told

CALM = ("overview", "problems", "hubs")
"""Pages whose pictures are made here."""
FAULTED, REFUSED, OFFLINE = "DE*ABC*E1004*2", "DE*ABC*E1005*1", "DE*ABC*E1007*1"
NETWORK = {
    "HARBOUR-1": ("Available", "Charging"),
    "HARBOUR-2": ("Charging", "Available"),
    "HARBOUR-3": ("Available", "Available"),
    "STATION-SQUARE-1": ("Charging", "Faulted"),
    "STATION-SQUARE-2": ("Charging", "Available"),
    "TOWN-HALL": ("Reserved", "Finishing"),
    "MUSEUM": ("Available",),
}
"""What each connector says last."""
LOST_SOON = {"STATUS__OFFLINE_AFTER": "4 s", "STATUS__RESTART_GRACE": "0 s", "OCPP__PING_INTERVAL": "1 s"}
HUBJECT = {"Available": "Available", "Faulted": "OutOfService", "Reserved": "Reserved"}
"""What Hubject then holds; Occupied where nothing else is said."""


def places() -> list[tuple[str, int, str, str]]:
    """Return station, connector, EVSE and what is reported of each."""
    return [
        (station, connector, f"DE*ABC*E{number}*{connector}", status)
        for number, (station, statuses) in enumerate(NETWORK.items(), start=1001)
        for connector, status in enumerate(statuses, start=1)
    ]


def inventory() -> str:
    rows = "".join(
        f"{station},1.6,{KEY},{connector},{evse},demo,{station},{station}-{connector}\n"
        for station, connector, evse, _ in places()
    )
    return f"station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point\n{rows}"


async def report(site: Site, connected: AsyncExitStack) -> None:
    """Let every station say that it is available and then what it says last; the museum's is cut off after that."""
    stations: dict[str, ScriptedStation] = {}
    for station, connector, _, _ in places():
        if station not in stations:
            stations[station] = await connected.enter_async_context(ScriptedStation(site.ocpp_url, station))
            await stations[station].boot()
        await stations[station].report("Available", connector)
    for _, _, evse, _ in places():
        await told(site, "Available", evse)
    await site.hubs["hubject"].script(kind="result_false", code="022", evse=[REFUSED])
    for station, connector, _, status in places():
        await stations[station].report(status, connector)
    for _, _, evse, status in places():
        await told(site, "Available" if evse == REFUSED else HUBJECT.get(status, "Occupied"), evse)
    stations["MUSEUM"].vanish()
    await told(site, "Unknown", OFFLINE)


async def test_troubles_come_first_at_a_calm_moment_and_everything_else_is_agreed(
    visitors: Visitors, tmp_path: Path
) -> None:
    async with running_site(tmp_path, **LOST_SOON) as site, AsyncExitStack() as connected:
        await site.start_hubs()
        await site.start_bridge()
        await site.import_inventory(inventory())
        await report(site, connected)

        page = await visitors.open(site, device_scale_factor=2)
        rows = page.locator("#evses tbody tr")
        await expect(rows).to_have_count(13)
        await expect(rows.filter(has_text=OFFLINE)).to_contain_text("offline")
        await expect(rows.filter(has_text=REFUSED).locator(".d-refused")).to_contain_text("hubject")
        await expect(page.locator("#evses .d-pending")).to_have_count(0)
        await expect(page.locator("#evses .d-agreed")).to_have_count(25)
        await expect(page.locator(".tile.trouble")).to_contain_text("hubject")
        assert sorted([await rows.nth(number).locator("th a").inner_text() for number in range(3)]) == [
            FAULTED,
            REFUSED,
            OFFLINE,
        ]
        await shoot(page, "overview")
        dark = await visitors.open(site, scheme="dark")
        await shoot(dark, "overview-dark")
        phone = await visitors.open(site, size=PHONE)
        assert await overflow(phone) <= 0
        await shoot(phone, "overview-phone")
        await page.goto("/?problems=true")
        await expect(rows).to_have_count(3)
        await shoot(page, "problems")
        await page.goto("/hubs")
        await expect(page.locator(".hub-card").first).to_contain_text("Live: the hub refuses 1 EVSE.")
        await shoot(page, "hubs")
