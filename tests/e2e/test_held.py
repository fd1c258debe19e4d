"""An account that its hub refuses as a whole: it is shown as held, what to do is said, and it goes on at a press."""

from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import ScriptedStation
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import EVSE, full_loads, told


async def test_a_held_row_is_shown_as_such_and_goes_out_when_somebody_says_so(
    visitors: Visitors, one_station: tuple[Site, ScriptedStation]
) -> None:
    site, station = one_station
    await site.hubs["hubject"].script(kind="status", status=401)
    await station.report("Charging")
    page = await visitors.open(site, f"/evses/{EVSE}")
    row = page.locator(".hub-row", has_text="hubject")
    await expect(row.locator(".chip").first).to_have_text("held")
    await expect(row).to_contain_text("the hub refuses the whole account")
    hub = await visitors.open(site, "/hubs/hubject")
    await expect(hub.locator("#standing .chip")).to_have_text("held")
    await expect(hub.locator("#standing")).to_contain_text("HTTP 401")
    assert (await hub.locator("#standing").inner_text()).count("HTTP 401") == 1
    await expect(hub.locator("#standing")).to_contain_text("goes on by itself")
    await shoot(hub, "hub-held")
    overview = await visitors.open(site, "/")
    await expect(overview.locator(".tile.trouble")).to_contain_text("held")
    await expect(overview.locator("#evses tr.problem .d-held")).to_be_visible()

    await row.get_by_role("button", name="Retry now").click()
    await expect(page.get_by_role("status").filter(has_text="the account is held")).to_be_visible()
    await site.hubs["hubject"].heal()
    await hub.get_by_role("link", name="Send what differs…").click()
    await hub.get_by_role("button", name="Send now").click()
    await told(site, "Occupied")
    await expect(hub.locator("#standing .chip")).to_have_text("ok")
    await expect(row.locator(".chip").first).to_have_text("agreed")


async def test_before_a_full_load_of_a_held_account_it_is_said_that_it_waits(
    visitors: Visitors, one_station: tuple[Site, ScriptedStation]
) -> None:
    site, station = one_station
    await site.hubs["hubject"].script(kind="status", status=403)
    await station.report("Charging")
    page = await visitors.open(site, "/hubs/hubject")
    await expect(page.locator("#standing .chip")).to_have_text("held")
    before = await full_loads(site)
    await page.get_by_role("link", name="Run fullLoad now…").click()
    await expect(page.get_by_text("The account is held: HTTP 403")).to_be_visible()
    await page.get_by_role("button", name="Run fullLoad now").click()
    await expect(page.get_by_role("status").filter(has_text="A fullLoad of statuses is ordered")).to_be_visible()
    assert await full_loads(site) == before
    await site.hubs["hubject"].heal()
    await page.get_by_role("link", name="Send what differs…").click()
    await page.get_by_role("button", name="Send now").click()
    await told(site, "Occupied")
    await expect(page.locator("#standing .chip")).to_have_text("ok")
    assert await full_loads(site) > before
