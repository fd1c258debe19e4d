"""A temporary status from the form over its preview to its end, as the hub sees it; and what the form explains."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import another_station, told

BERLIN = "Europe/Berlin"


async def test_a_temporary_status_from_its_preview_to_its_end(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        page = await visitors.open(quiet_site, "/temporary", timezone_id=BERLIN)
        await page.get_by_role("link", name="New…").click()
        await expect(page.get_by_label("Time zone of these times")).to_have_value(BERLIN)
        await page.get_by_label("Find and add").fill(f"abce{name.lower()}")
        await page.get_by_role("button", name=f"Add {evse}").click()
        await expect(page.get_by_label("EVSE ids, one per line")).to_have_value(evse)
        await page.get_by_role("radio", name="blocked").check()
        ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=12)
        local = ends.astimezone(ZoneInfo(BERLIN)).strftime("%Y-%m-%dT%H:%M:%S")
        await page.get_by_label("Ends at").fill(local)
        await shoot(page, "temporary-new")
        await page.get_by_role("button", name="Preview…").click()

        row = page.get_by_role("row", name="hubject")
        await expect(row).to_contain_text("Available")
        await expect(row).to_contain_text("Occupied from now")
        assert (await quiet_site.hubs["hubject"].state())[evse] == "Available"
        await shoot(page, "temporary-preview")
        await page.get_by_role("button", name="Create").click()

        await expect(page.get_by_role("status").filter(has_text="Created: BLOCKED for 1 EVSE.")).to_be_visible()
        await expect(page.get_by_role("heading", name="In force now")).to_be_visible()
        await shoot(page, "temporary")
        await told(quiet_site, "Occupied", evse)
        await told(quiet_site, "Available", evse)
        assert datetime.now(UTC) >= ends
        await expect(page.get_by_role("heading", name="No temporary statuses")).to_be_visible()


async def test_one_is_ended_before_its_time(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        await quiet_site.order("temporary-statuses", {"evse_ids": [evse], "status": "MAINTENANCE"})
        await told(quiet_site, "OutOfService", evse)
        page = await visitors.open(quiet_site, "/temporary", timezone_id=BERLIN)
        await page.get_by_role("button", name="End now").click()
        await expect(page.get_by_role("status").filter(has_text="Ended: 1 EVSE.")).to_be_visible()
        await told(quiet_site, "Available", evse)


async def test_a_time_that_comes_twice_is_explained_and_can_be_chosen(visitors: Visitors, quiet_site: Site) -> None:
    visitors.expect_complaint("422")
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        page = await visitors.open(quiet_site, f"/temporary/new?evse={evse}", timezone_id=BERLIN)
        await page.get_by_label("Begins at").fill("2027-10-31T02:30")
        await page.get_by_role("button", name="Preview…").click()
        await expect(page.get_by_text("this time comes twice: choose which one")).to_be_visible()
        await expect(page.get_by_label("Begins at")).to_have_value("2027-10-31T02:30")
        await page.get_by_label("Which one").select_option("+01:00")
        await page.get_by_role("button", name="Preview…").click()
        await expect(page.get_by_text("from Sun 31 Oct 2027 02:30 (UTC+01:00)").first).to_be_visible()
