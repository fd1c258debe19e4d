"""What an operator does on the pages of hubs, and what the hub is sent then."""

from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import EVSE, WITHIN_S, full_loads, told


async def test_a_full_load_shows_what_it_changes_before_it_runs(
    visitors: Visitors, one_station: tuple[Site, ScriptedStation]
) -> None:
    site, _ = one_station
    before = await full_loads(site)
    page = await visitors.open(site, "/hubs/hubject")
    await expect(page.locator("#standing")).to_contain_text("Live: the hub has every status.")
    await page.get_by_role("link", name="Run fullLoad now…").click()
    await expect(page.get_by_text("The hub then has 1 EVSE: 1 as now.")).to_be_visible()
    assert await full_loads(site) == before
    await shoot(page, "hub-full-load")
    await page.get_by_role("button", name="Run fullLoad now").click()
    await expect(page.get_by_role("status").filter(has_text="A fullLoad of statuses is ordered")).to_be_visible()

    async def sent() -> bool:
        return await full_loads(site) > before

    await until(sent, WITHIN_S, "Hubject was sent a fullLoad")


async def test_a_disabled_account_sends_nothing_until_it_is_enabled_after_its_preview(
    visitors: Visitors, one_station: tuple[Site, ScriptedStation]
) -> None:
    site, station = one_station
    page = await visitors.open(site, "/hubs/hubject")
    await page.get_by_role("link", name="Disable…").click()
    await page.get_by_role("button", name="Disable").click()
    await expect(page.locator("#standing")).to_contain_text("Off: nothing is sent to this hub.")
    requests = await site.hubs["hubject"].last()
    await station.report("Charging")
    await expect(page.locator("#standing")).to_contain_text("Would be sent")
    await page.get_by_role("link", name="Enable…").click()
    await expect(page.get_by_text("1 EVSE: 1 with a known status.")).to_be_visible()
    assert await site.hubs["hubject"].last() == requests
    await shoot(page, "hub-enable")
    await page.get_by_role("button", name="Enable: send it").click()
    await expect(page.get_by_role("status").filter(has_text="hubject is now live.")).to_be_visible()
    await told(site, "Occupied")


async def test_a_refused_evse_is_tried_again_from_the_hubs_page(
    visitors: Visitors, one_station: tuple[Site, ScriptedStation]
) -> None:
    site, station = one_station
    await site.hubs["hubject"].script(kind="result_false", code="022")
    await station.report("Charging")
    page = await visitors.open(site, "/hubs/hubject")
    row = page.get_by_role("row", name=EVSE)
    await expect(row).to_be_visible()
    await expect(page.locator("#standing .chip")).to_have_text("refusals")
    await shoot(page, "hub-refused")
    overview = await visitors.open(site, "/")
    tile = overview.locator(".tile", has_text="hubject")
    await expect(tile).to_contain_text("refusals")
    await expect(tile).to_have_class("tile trouble")
    await site.hubs["hubject"].heal()
    await row.get_by_role("button", name="Retry now").click()
    await expect(page.get_by_role("status").filter(has_text=f"{EVSE}: Occupied is sent again.")).to_be_visible()
    await told(site, "Occupied")
    await expect(page.locator("#parked")).to_contain_text("The hub refuses nothing.")
    await expect(page.locator("#standing .chip")).to_have_text("ok")
    await expect(overview.locator(".tile.trouble")).to_have_count(0)
