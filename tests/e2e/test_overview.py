"""The overview in a browser: live without reload, a lost stream, filters in the address, the keyboard."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors
from tests.e2e.scenes import another_station


async def test_the_overview_shows_every_evse(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site)
    count = len(await shared_site.evses())
    await expect(page.locator("#evses tbody tr")).to_have_count(count)
    await expect(page.locator("#counters .counter-n").first).to_have_text(str(count))


async def test_a_change_is_seen_without_a_reload_and_disturbs_nobody(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (station, name):
        page = await visitors.open(quiet_site, f"/evses/{evse_id(name)}")
        await expect(page.locator("#effective .badge").first).to_have_text("available")
        await page.evaluate("window.never_reloaded = true")
        await page.locator("#jump").fill("half a word")
        await station.report("Charging")
        await expect(page.locator("#effective .badge").first).to_have_text("charging")
        await expect(page.locator("#told")).to_contain_text("Occupied")
        assert await page.evaluate("window.never_reloaded") is True
        assert await page.evaluate("document.activeElement.id") == "jump"
        await expect(page.locator("#jump")).to_have_value("half a word")


async def test_a_lost_stream_is_said_and_its_return_brings_what_was_missed(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    async with another_station(restarted_site) as (_, name):
        page = await visitors.open(restarted_site, f"/?q={name}")
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        restarted_site.kill_bridge()
        banner = page.get_by_role("status").filter(has_text="Not live since")
        await expect(banner).to_be_visible()
        await expect(page.locator("html")).to_have_class("cut-off")
        await restarted_site.start_bridge()
        await expect(banner).to_be_hidden()
        await expect(page.locator("html")).not_to_have_class("cut-off")
        await expect(page.locator("#evses tbody tr")).to_have_count(1)


async def test_filters_stand_in_the_address_and_survive_reloading_and_going_back(
    visitors: Visitors, shared_site: Site
) -> None:
    page = await visitors.open(shared_site)
    await page.locator(".counter", has_text="available").first.click()
    await expect(page).to_have_url(re.compile(r"\?status=available$"))
    await expect(page.locator(".counter.on")).to_contain_text("available")
    await page.reload()
    await expect(page.locator(".chip.filter")).to_contain_text("status available")
    await page.get_by_role("link", name="By id").click()
    await expect(page).to_have_url(re.compile(r"\?status=available&sort=id$"))
    await page.go_back()
    await expect(page).to_have_url(re.compile(r"\?status=available$"))
    await page.locator(".chip.filter").click()
    await expect(page).to_have_url(re.compile(r"/$"))


async def test_an_evse_is_found_with_the_keyboard_alone(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site)
    await page.keyboard.press("/")
    await page.keyboard.type("e00003")
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    chosen = await page.locator("[role=option][aria-selected=true] span").first.inner_text()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(chosen)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
