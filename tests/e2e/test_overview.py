from __future__ import annotations

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.e2e.browsing import Visitors


async def test_the_overview_shows_every_evse(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site)
    rows = page.locator("#evses tbody tr")
    await expect(rows).to_have_count(len(await shared_site.evses()))
