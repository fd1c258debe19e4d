"""Two people at two browsers: each sees what the other does, and is told in words where both do the same."""

from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import ScriptedStation, evse_id
from tests.e2e.browsing import Visitors, hide
from tests.e2e.scenes import another_station, told


async def test_what_one_creates_and_ends_the_other_sees_without_a_reload(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        ours = await visitors.open(quiet_site, f"/temporary/new?evse={evse}")
        theirs = await visitors.open(quiet_site, "/temporary")
        their_evse = await visitors.open(quiet_site, f"/evses/{evse}")
        for page in (theirs, their_evse):
            await page.evaluate("window.never_reloaded = true")
        await ours.get_by_role("radio", name="maintenance").check()
        await ours.get_by_role("button", name="Preview…").click()
        await ours.get_by_role("button", name="Create").click()
        await expect(ours.get_by_role("status").filter(has_text="Created")).to_be_visible()
        await expect(theirs.get_by_role("row", name=evse)).to_be_visible()
        await expect(their_evse.locator("#effective .badge").first).to_have_text("maintenance")
        await expect(their_evse.locator("#effective")).to_contain_text("by admin")
        await ours.get_by_role("row", name=evse).get_by_role("button", name="End now").click()
        await expect(theirs.get_by_role("row", name=evse)).to_have_count(0)
        await expect(their_evse.locator("#effective .badge").first).to_have_text("available")
        for page in (theirs, their_evse):
            assert await page.evaluate("window.never_reloaded") is True


async def test_who_ends_what_somebody_else_has_ended_is_told_so(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        await quiet_site.order("temporary-statuses", {"evse_ids": [evse], "status": "MAINTENANCE"})
        await told(quiet_site, "OutOfService", evse)
        first = await visitors.open(quiet_site, f"/evses/{evse}")
        second = await visitors.open(quiet_site, f"/evses/{evse}")
        await hide(second)
        for page in (first, second):
            await page.get_by_role("button", name="End now").click()
            await page.get_by_role("button", name="End it").click()
        await expect(first.get_by_role("status").filter(has_text="Ended: 1 EVSE.")).to_be_visible()
        said = second.get_by_role("status").filter(has_text="Nothing was ended")
        await expect(said).to_contain_text("Perhaps somebody else has ended it.")


async def test_who_takes_in_a_station_that_somebody_else_has_taken_in_is_told_so(
    visitors: Visitors, quiet_site: Site
) -> None:
    async with ScriptedStation(quiet_site.ocpp_url, "GUEST") as guest:
        await guest.boot()
        first = await visitors.open(quiet_site, "/quarantine/GUEST/map")
        second = await visitors.open(quiet_site, "/quarantine/GUEST/map")
        for page in (first, second):
            await page.get_by_label("EVSE id").first.fill("DE*ABC*EGUEST")
            await page.get_by_label("Operator").fill("demo")
            await page.get_by_role("button", name="Take it into the inventory").click()
        await expect(first.locator("#new-key")).to_be_visible()
        said = second.get_by_role("status").filter(has_text="GUEST is in the inventory already")
        await expect(said).to_contain_text("perhaps somebody else has taken it in")
        await expect(second).to_have_url(f"{quiet_site.web_url}/stations/GUEST")
