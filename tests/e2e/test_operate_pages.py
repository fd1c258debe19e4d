"""Each page on which operators act: on a phone, in the dark, and for somebody who may only look."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.acceptance.harness import Site
from tests.e2e.browsing import DESKTOP, PHONE, Scheme, Visitors, overflow, shoot
from tests.e2e.scenes import viewer_key
from tests.e2e.test_calm_overview import CALM

AXE = (Path(__file__).parent / "vendor/axe/axe.min.js").read_text(encoding="utf-8")
PAGES = {
    "hubs": "/hubs",
    "hub": "/hubs/hubject",
    "hub-sync": "/hubs/hubject/sync",
    "stations": "/stations",
    "station": "/stations/SIM-00001",
    "attempts": "/stations/attempts",
    "temporary-statuses": "/temporary",
    "temporary-form": "/temporary/new",
    "unknown-stations": "/quarantine",
    "plots": "/plots",
}
SHOWN_EACH_WAY = ("hub", "station", "temporary-form")
"""Pictures of these are kept in the dark and of a phone, too."""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("size", "scheme", "suffix"),
    [
        pytest.param(DESKTOP, "light", "", id="desktop"),
        pytest.param(DESKTOP, "dark", "-dark", id="dark"),
        pytest.param(PHONE, "light", "-phone", id="phone"),
    ],
)
async def test_a_page_fits_its_window_and_complains_of_nothing(
    visitors: Visitors, shared_site: Site, name: str, size: tuple[int, int], scheme: Scheme, suffix: str
) -> None:
    page = await visitors.open(shared_site, PAGES[name], size=size, scheme=scheme, timezone_id="Europe/Berlin")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    if name in ("hub", "plots"):
        await expect(page.locator("[data-plot] .u-wrap canvas").first).to_be_visible()
        await expect(page.locator("[data-plot]:not(:has(canvas))")).to_have_count(0)
    assert await overflow(page) == 0
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(16, 18, 22)" if scheme == "dark" else "rgb(246, 247, 249)")
    if name not in CALM and (not suffix or name in SHOWN_EACH_WAY):
        await shoot(page, f"{name}{suffix}")
    if size == DESKTOP:
        assert await barriers(page) == []


async def barriers(page: Page) -> list[str]:
    """Return what keeps somebody from using the page without seeing it, or from reading it."""
    await page.evaluate(AXE)
    found = await page.evaluate(
        """async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] })).violations
          .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(" | ")}`)"""
    )
    return [str(each) for each in found]


async def test_who_may_only_look_sees_everything_and_can_order_nothing(visitors: Visitors, shared_site: Site) -> None:
    visitors.expect_complaint("403")
    key = await viewer_key(shared_site)
    page = await visitors.open(shared_site, "/hubs", key=key)
    for path in ("/hubs/hubject", "/hubs/hubject/full-load", "/hubs/hubject/sync", "/stations/SIM-00001", "/temporary"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await page.locator("main form[method=post] button[type=submit]").count() == 0, path
    for path in ("/hubs/hubject/mode?mode=live", "/temporary/new", "/quarantine/NEW1/map"):
        response = await page.goto(path)
        assert response is not None
        assert response.status == 403, path
        await expect(page.get_by_role("heading", name="Forbidden")).to_be_visible()
    token = await page.locator("input[name=csrf]").first.get_attribute("value")
    orders = {
        "/hubs/hubject/mode": {"mode": "off"},
        "/hubs/hubject/full-load": {"scope": "statuses"},
        "/stations/SIM-00001/reset": {"kind": "hard"},
        "/temporary": {"evse_ids": "DE*ABC*E00001*1", "status": "BLOCKED"},
        "/temporary/end": {"id": "1"},
    }
    for path, fields in orders.items():
        answer = await page.request.post(path, form={"csrf": str(token), **fields}, max_redirects=0)
        assert answer.status == 403, path
    assert (await shared_site.ask("temporary-statuses"))["items"] == []


async def test_the_numbers_of_a_plot_are_in_a_table_too(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site, "/hubs/hubject")
    await page.get_by_text("The numbers as a table").click()
    table = page.locator("[data-plot-table]")
    await expect(table.get_by_role("columnheader", name="accepted")).to_be_visible()
    await expect(table.get_by_role("row").nth(1)).to_be_visible()
