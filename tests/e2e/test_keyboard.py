"""A whole visit with the keyboard alone: where the focus is can always be seen."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors
from tests.e2e.scenes import another_station

FOCUS = """() => {
  const here = document.activeElement;
  const ring = getComputedStyle(here);
  const box = here.getBoundingClientRect();
  return {
    text: (here.getAttribute("aria-label") ?? here.textContent).trim().replace(/\\s+/g, " "),
    ring: ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2,
    seen: box.width > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  };
}"""


async def tab_to(page: Page, name: str, most: int = 80) -> None:
    """Press Tab until something of this name has the focus; each stop on the way must be seen to have it."""
    stops = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(FOCUS)
        assert stop["ring"], f"no visible focus: {stop}"
        assert stop["seen"], f"the focus is outside of the window: {stop}"
        stops.append(stop["text"])
        if re.fullmatch(name, stop["text"]):
            return
    raise AssertionError(f"{name} is not reached: {stops}")


async def test_from_the_login_to_a_retry_and_out_again_without_a_mouse(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (station, name):
        evse = evse_id(name)
        await quiet_site.hubs["chargeprice"].script(kind="status", status=422)
        try:
            await station.report("Charging")
            page = await visitors.open(quiet_site, "/", key=None)
            await page.keyboard.type(quiet_site.admin_key)
            await page.keyboard.press("Enter")
            await expect(page.locator("[data-fresh]")).to_have_text("Live")

            await page.keyboard.press("Tab")
            assert (await page.evaluate(FOCUS))["text"] == "Skip to the content"
            assert (await page.evaluate(FOCUS))["seen"]
            await page.keyboard.press("Enter")
            assert await page.evaluate("document.activeElement.id") == "main"

            await page.keyboard.press("/")
            await page.keyboard.type(name)
            await expect(page.get_by_role("option", name=evse)).to_be_visible()
            await page.keyboard.press("ArrowUp")
            await expect(page.get_by_role("combobox")).to_have_attribute("aria-activedescendant", re.compile("jump-"))
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", level=1)).to_have_text(evse)

            row = page.locator(".hub-row", has_text="chargeprice")
            await expect(row.locator(".chip").first).to_have_text("refused")
            await quiet_site.hubs["chargeprice"].heal()
            await tab_to(page, "Retry now")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("status").filter(has_text="sent to chargeprice")).to_be_visible()
            await expect(row.locator(".chip").first).to_have_text("agreed")

            await page.keyboard.press("?")
            await expect(page.get_by_role("dialog")).to_be_visible()
            await page.keyboard.press("Escape")
            await tab_to(page, "Logged in as .*")
            await page.keyboard.press("Enter")
            await tab_to(page, "Log out", 2)
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        finally:
            await quiet_site.hubs["chargeprice"].heal()


async def test_the_list_is_walked_through_and_an_evse_opened_without_a_mouse(
    visitors: Visitors, quiet_site: Site
) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        page = await visitors.open(quiet_site, f"/?q={name}")
        await page.locator("main").focus()
        await tab_to(page, re.escape(evse))
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(evse)
        await page.keyboard.press("g")
        await page.keyboard.press("h")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Hubs")
