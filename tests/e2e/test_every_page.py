"""What holds for every page: it fits a phone, is dark where one wants that, and can be used without seeing it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.harness import Site
from tests.e2e.browsing import PHONE, Visitors, overflow, shoot
from tests.e2e.test_calm_overview import CALM

AXE = (Path(__file__).parent / "vendor/axe/axe.min.js").read_text(encoding="utf-8")
PAGES = {
    "overview": "/",
    "problems": "/?problems=true",
    "evse": "/evses/DE*ABC*E00001*1",
    "deliveries": "/deliveries",
    "delivery": "/deliveries/1",
    "login": "/login",
    "public": "/public",
}
WITHOUT_LOGIN = ("login", "public")
SHOWN_EACH_WAY = ("evse", "public")
"""Pictures of these are kept in the dark and of a phone, too."""
CUT = """() => [...document.querySelectorAll(".counter")].filter((each) => each.scrollWidth > each.clientWidth)
  .map((each) => each.textContent.trim())"""
"""Counters whose words run out of them."""
each_page = pytest.mark.parametrize("name", list(PAGES))


async def opened(visitors: Visitors, site: Site, name: str, **options: object) -> Page:
    key = None if name in WITHOUT_LOGIN else ""
    page = await visitors.open(site, PAGES[name], key=key, **options)  # type: ignore[arg-type]
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    return page


@each_page
async def test_a_page_fits_a_phone(visitors: Visitors, shared_site: Site, name: str) -> None:
    page = await opened(visitors, shared_site, name, size=PHONE)
    assert await overflow(page) <= 0
    assert await page.evaluate(CUT) == []
    for place in await page.get_by_role("navigation", name="Main").get_by_role("link").all():
        await expect(place).to_be_in_viewport(ratio=1)
    if name in SHOWN_EACH_WAY:
        await shoot(page, f"{name}-phone")


@each_page
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_page_can_be_used_without_seeing_it_and_reads_well(
    visitors: Visitors, shared_site: Site, name: str, scheme: str
) -> None:
    page = await opened(visitors, shared_site, name, scheme=scheme)
    if name not in CALM and (scheme == "light" or name in SHOWN_EACH_WAY):
        await shoot(page, name if scheme == "light" else f"{name}-dark")
    await page.evaluate(AXE)
    found = await page.evaluate(
        """async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })).violations
          .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`)"""
    )
    assert found == []


async def test_dark_follows_the_system_until_somebody_chooses_and_the_choice_stays(
    visitors: Visitors, shared_site: Site
) -> None:
    page = await visitors.open(shared_site, scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(ground) == "rgb(16, 18, 22)"
    await page.get_by_role("button", name=re.compile("light and dark")).click()
    assert await page.evaluate(ground) == "rgb(246, 247, 249)"
    await page.reload()
    assert await page.evaluate(ground) == "rgb(246, 247, 249)"
