"""What a screen reader goes by, on every page: landmarks, headings in their order, headers of tables, polite news."""

from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.e2e.browsing import Visitors
from tests.e2e.test_every_page import AXE
from tests.e2e.test_every_page import PAGES as SEEN
from tests.e2e.test_operate_pages import PAGES as OPERATED

MORE = {
    "full load": "/hubs/hubject/full-load",
    "mode": "/hubs/hubject/mode?mode=off",
    "nothing there": "/evses/DE*ABC*ENOTHING",
}
RULES = (
    "heading-order",
    "landmark-one-main",
    "landmark-unique",
    "landmark-banner-is-top-level",
    "landmark-contentinfo-is-top-level",
    "landmark-main-is-top-level",
    "page-has-heading-one",
    "region",
    "empty-heading",
    "empty-table-header",
    "label-title-only",
    "scope-attr-valid",
    "skip-link",
    "tabindex",
    "aria-dialog-name",
)
"""Of axe's best practices; WCAG's own are checked beside the pictures."""
BARRIERS = """async (rules) => (await axe.run(document, { runOnly: { type: "rule", values: rules } })).violations
  .map(each => `${each.id}: ${each.nodes.slice(0, 3).map(node => node.html.slice(0, 120)).join(" | ")}`)"""
BY_HAND = """() => {
  const wrong = {
    "a header without a scope": "th:not([scope])",
    "news that interrupt": "[aria-live=assertive]",
    "an icon that is read out": "svg.icon:not([aria-hidden])",
    "a banner that is not announced": "[data-banner]:not([role=status])",
  };
  const silent = [...document.querySelectorAll(".badge, .chip")].filter((each) => !each.textContent.trim());
  return silent.map((each) => `colour alone: ${each.className}`).concat(Object.entries(wrong).flatMap(([what, where]) =>
    [...document.querySelectorAll(where)].map((each) => `${what}: ${each.outerHTML.slice(0, 80)}`)));
}"""


async def test_every_page_is_built_for_who_cannot_see_it(visitors: Visitors, shared_site: Site) -> None:
    visitors.expect_complaint("404")
    page = await visitors.open(shared_site, "/")
    barriers: dict[str, list[str]] = {}
    for name, path in {**SEEN, **OPERATED, **MORE}.items():
        if name == "login":
            continue
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)
        await page.evaluate(AXE)
        barriers[name] = [*await page.evaluate(BARRIERS, list(RULES)), *await page.evaluate(BY_HAND)]
    assert {name: found for name, found in barriers.items() if found} == {}


async def test_the_login_is_built_for_who_cannot_see_it(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site, "/login?ended=true", key=None)
    await page.evaluate(AXE)
    assert [*await page.evaluate(BARRIERS, list(RULES)), *await page.evaluate(BY_HAND)] == []
    await expect(page.get_by_role("alert")).to_contain_text("You were logged out")
