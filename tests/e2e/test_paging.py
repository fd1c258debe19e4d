"""More EVSEs than a page holds: each is on one page, whatever is chosen stays in the address, and one finds back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import KEY
from tests.e2e.browsing import Visitors, overflow
from tests.e2e.scenes import running_site

MANY = 230
PART = "DE*ABC*EPAGED"


def inventory(count: int) -> str:
    rows = "".join(f"PAGED{number},1.6,{KEY},1,{PART}{number:04},demo\n" for number in range(count))
    return f"station,version,key,connector,evse_id,operator\n{rows}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def large_site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site of its own: a hub's first fullLoad waits where most EVSEs were never heard of."""
    async with running_site(tmp_path_factory.mktemp("large")) as site:
        await site.start_hubs()
        await site.start_bridge()
        await site.import_inventory(inventory(MANY))
        yield site


async def test_every_evse_is_on_one_page_and_the_filter_stays_in_the_address(
    visitors: Visitors, large_site: Site
) -> None:
    page = await visitors.open(large_site, "/?q=EPAGED&sort=id")
    ids: list[str] = []
    rows = page.locator("#evses tbody tr")
    for on_this_page in (100, 100, 30):
        await expect(rows).to_have_count(on_this_page)
        await expect(page.locator(".chip.filter")).to_contain_text("EPAGED")
        ids += await page.locator("#evses tbody th a").all_inner_texts()
        if len(ids) < MANY:
            await page.get_by_role("link", name="Next page").click()
            await expect(page).to_have_url(re.compile(r"\?q=EPAGED&sort=id&cursor=[^&]+$"))
    assert ids == [f"{PART}{number:04}" for number in range(MANY)]
    await expect(page.get_by_role("link", name="Next page")).to_have_count(0)
    assert await overflow(page) == 0

    await page.reload()
    await expect(rows).to_have_count(30)
    await page.go_back()
    await expect(rows.first).to_contain_text(f"{PART}0100")
    await page.get_by_role("link", name="First page").click()
    await expect(page).to_have_url(f"{large_site.web_url}/?q=EPAGED&sort=id")
    await expect(rows.first).to_contain_text(f"{PART}0000")


async def test_a_counter_on_a_later_page_begins_at_the_first_page_of_its_own(
    visitors: Visitors, large_site: Site
) -> None:
    page = await visitors.open(large_site, "/?q=EPAGED")
    await page.get_by_role("link", name="Next page").click()
    await expect(page).to_have_url(re.compile("cursor="))
    await page.locator(".counter", has_text="unknown").first.click()
    await expect(page).to_have_url(re.compile(r"\?q=EPAGED&status=unknown$"))
    await expect(page.locator("#evses tbody tr")).to_have_count(100)
