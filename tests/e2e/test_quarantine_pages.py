"""An unknown station, from its first connection over a form to an EVSE whose status a hub is told."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from websockets.exceptions import InvalidStatus

from tests.acceptance.harness import Site
from tests.acceptance.scripted import ScriptedStation, evse_id
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import WITHIN_S, told

STATION = "STRANGER"


async def test_an_unknown_station_is_mapped_to_an_evse_that_then_reports(visitors: Visitors, quiet_site: Site) -> None:
    visitors.expect_complaint("422")
    async with ScriptedStation(quiet_site.ocpp_url, STATION) as guest:
        await guest.boot()
        page = await visitors.open(quiet_site, "/quarantine")
        row = page.get_by_role("row", name=STATION)
        await expect(row).to_contain_text("scripted")
        await shoot(page, "quarantine")
        await row.get_by_role("link", name="Map…").click()
        await page.get_by_role("button", name="Take it into the inventory").click()
        await expect(page.get_by_text("give at least one EVSE id, such as DE*ABC*E42")).to_be_visible()
        await page.get_by_label("EVSE id").first.fill(evse_id(STATION))
        await expect(page.get_by_text("give at least one EVSE id")).to_have_count(0)
        await page.get_by_label("Operator").fill("demo")
        await expect(page.locator("[aria-invalid], .beside")).to_have_count(0)
        await shoot(page, "quarantine-map")
        await page.get_by_role("button", name="Take it into the inventory").click()
        key = await page.locator("#new-key").text_content()
        assert key is not None
        assert await guest.closed(WITHIN_S) == 1008
    with pytest.raises(InvalidStatus):
        async with ScriptedStation(quiet_site.ocpp_url, STATION):
            pass
    async with ScriptedStation(quiet_site.ocpp_url, STATION, key) as station:
        await station.boot()
        await station.report("Charging")
        await told(quiet_site, "Occupied", evse_id(STATION))
        await page.get_by_role("link", name="To the station").click()
        await expect(page.locator("#evses").get_by_role("row", name=evse_id(STATION))).to_contain_text("charging")
        assert key not in await page.content()
        await page.goto("/quarantine")
        await expect(page.get_by_role("heading", name="No unknown stations")).to_be_visible()
        await expect(page.locator("#attempts").get_by_role("row", name=STATION)).to_contain_text("401")
