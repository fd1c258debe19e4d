"""Whatever becomes of the stream, a page never calls old values live, and is live again by itself."""

from __future__ import annotations

import asyncio
import re
import signal
from datetime import UTC, datetime

from playwright.async_api import Page, Route, expect

from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors, hide, log_in
from tests.e2e.scenes import WITHIN_S, another_station, told

AWAY = "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_ABORTED|ERR_SOCKET"
SAYS_LIVE = """() => {
  window.said = [];
  const look = () => {
    if (document.querySelector("[data-fresh]").textContent === "Live")
      window.said.push(document.querySelector("#effective .badge").textContent.trim());
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
"""Keeps what the page showed whenever it called itself live."""
KEEPS_THE_STREAM = """() => {
  window.EventSource = class extends EventSource {
    constructor(address) {
      super(address);
      window.stream = this;
    }
  };
}"""


async def opened(visitors: Visitors, site: Site, name: str) -> Page:
    page = await visitors.open(site, "about:blank", key=None)
    await page.clock.install(time=datetime.now(UTC))
    await log_in(page, site.admin_key, f"/evses/{evse_id(name)}")
    await expect(page.locator("[data-fresh]")).to_have_text("Live")
    return page


async def test_a_tab_that_was_hidden_for_hours_says_how_old_its_values_are_until_it_is_live_again(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint(AWAY)
    async with another_station(restarted_site) as (_, name):
        page = await opened(visitors, restarted_site, name)
        await hide(page)
        restarted_site.kill_bridge()
        hidden_at = await page.evaluate("new Date().toLocaleTimeString([], { hour12: false }).slice(0, 5)")
        await page.clock.fast_forward("06:00:00")
        await hide(page, hidden=False)
        banner = page.get_by_role("status").filter(has_text="Not live since")
        await expect(banner).to_contain_text(hidden_at)
        await expect(page.locator("[data-fresh]")).to_have_text("Not live")
        await expect(page.locator("html")).to_have_class("cut-off")
        await expect(page.locator("#effective time").first).to_have_text("6 h ago")
        await restarted_site.start_bridge()
        await page.clock.run_for(31_000)
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        await expect(banner).to_be_hidden()
        await expect(page.locator("#effective time").first).not_to_contain_text("h ago")


async def test_a_tab_that_comes_back_calls_itself_live_only_with_what_is_true_now(
    visitors: Visitors, restarted_site: Site
) -> None:
    async with another_station(restarted_site) as (station, name):
        page = await opened(visitors, restarted_site, name)
        await hide(page)
        await expect(page.locator("[data-fresh]")).to_be_empty()
        await station.report("Charging")
        await told(restarted_site, "Occupied", evse_id(name))
        await page.evaluate(SAYS_LIVE)
        await hide(page, hidden=False)
        await expect(page.locator("#effective .badge").first).to_have_text("charging")
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        assert set(await page.evaluate("window.said")) == {"charging"}


async def test_a_page_that_was_under_way_when_the_tab_was_hidden_does_not_make_it_live(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint(AWAY)
    made, release = asyncio.Event(), asyncio.Event()

    async def hold_the_first(route: Route) -> None:
        if "x-live" not in route.request.headers or made.is_set():
            return await route.continue_()
        answer = await route.fetch()
        made.set()
        await release.wait()
        return await route.fulfill(response=answer)

    async with another_station(restarted_site) as (station, name):
        page = await opened(visitors, restarted_site, name)
        await page.route(f"**/evses/{evse_id(name)}", hold_the_first)
        await page.evaluate(KEEPS_THE_STREAM)
        await hide(page)
        await hide(page, hidden=False)
        await asyncio.wait_for(made.wait(), WITHIN_S)
        await hide(page)
        await station.report("Charging")
        await told(restarted_site, "Occupied", evse_id(name))
        await page.evaluate("window.stream = null")
        await page.evaluate(SAYS_LIVE)
        await hide(page, hidden=False)
        await until(
            lambda: page.evaluate("window.stream?.readyState === EventSource.OPEN"), WITHIN_S, "a stream is open"
        )
        release.set()
        await expect(page.locator("#effective .badge").first).to_have_text("charging")
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        assert set(await page.evaluate("window.said")) == {"charging"}


async def test_a_page_that_is_lost_on_its_way_is_asked_for_again(visitors: Visitors, restarted_site: Site) -> None:
    visitors.expect_complaint("ERR_FAILED")
    lost = asyncio.Event()

    async def lose_the_first(route: Route) -> None:
        if "x-live" not in route.request.headers or lost.is_set():
            return await route.continue_()
        lost.set()
        return await route.abort()

    async with another_station(restarted_site) as (station, name):
        page = await opened(visitors, restarted_site, name)
        await page.route(f"**/evses/{evse_id(name)}", lose_the_first)
        await station.report("Charging")
        await asyncio.wait_for(lost.wait(), WITHIN_S)
        await expect(page.locator("[data-fresh]")).to_have_text("Not live")
        await expect(page.locator("#effective .badge").first).to_have_text("charging", timeout=20_000)
        await expect(page.locator("[data-fresh]")).to_have_text("Live")


async def test_a_page_is_called_live_once_it_was_fetched_beside_its_stream(
    visitors: Visitors, restarted_site: Site
) -> None:
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if "x-live" in route.request.headers:
            asked.set()
            await release.wait()
        await route.continue_()

    async with another_station(restarted_site) as (_, name):
        page = await visitors.open(restarted_site, "/")
        await page.route(f"**/evses/{evse_id(name)}", hold)
        await page.goto(f"{restarted_site.web_url}/evses/{evse_id(name)}")
        await asyncio.wait_for(asked.wait(), WITHIN_S)
        await expect(page.locator("[data-fresh]")).to_have_text("Not live")
        release.set()
        await expect(page.locator("[data-fresh]")).to_have_text("Live")


async def test_a_stream_that_is_silent_for_a_minute_is_asked_whether_it_lives(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint(AWAY)
    async with another_station(restarted_site) as (_, name):
        page = await visitors.open(restarted_site, "about:blank", key=None)
        await page.clock.install(time=datetime.now(UTC))
        async with page.expect_event("requestfinished", lambda request: "x-live" in request.headers):
            await log_in(page, restarted_site.admin_key, f"/evses/{evse_id(name)}")
        restarted_site.bridge.signal(signal.SIGSTOP)
        try:
            await page.clock.fast_forward("01:05")
            banner = page.get_by_role("status").filter(has_text="Not live since")
            await expect(banner).to_be_visible()
        finally:
            restarted_site.bridge.signal(signal.SIGCONT)
        await expect(banner).to_be_hidden()
        await expect(page.locator("[data-fresh]")).to_have_text("Live")


async def test_a_bridge_that_was_restarted_with_other_styles_and_scripts_is_seen_with_them(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint(AWAY)
    async with another_station(restarted_site) as (_, name):
        page = await visitors.open(restarted_site, f"/evses/{evse_id(name)}")
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        await page.evaluate("window.never_reloaded = true")
        await restarted_site.stop_bridge()
        await expect(page.get_by_role("status").filter(has_text="Not live since")).to_be_visible()
        await page.evaluate("document.querySelector('link[rel=stylesheet]').href += '#of-the-version-before'")
        await restarted_site.start_bridge()
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        assert await page.evaluate("window.never_reloaded") is None
        await expect(page).to_have_url(f"{restarted_site.web_url}/evses/{evse_id(name)}")


async def test_a_key_that_is_revoked_while_a_page_is_open_says_so_and_leads_back(
    visitors: Visitors, restarted_site: Site
) -> None:
    visitors.expect_complaint("401|ERR_ABORTED|ERR_INCOMPLETE_CHUNKED")
    async with another_station(restarted_site) as (station, _):
        made = await restarted_site.order("keys", {"name": "guest", "role": "viewer"})
        page = await visitors.open(restarted_site, "/?status=available", key=made["key"])
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
        assert (await restarted_site.run("key", "revoke", "guest"))[0] == 0
        await station.report("Charging")
        await expect(page.get_by_role("alert")).to_contain_text("You were logged out")
        await expect(page).to_have_url(re.compile(r"/login\?ended=true&next="))
        await page.get_by_label("Key").fill(restarted_site.admin_key)
        await page.get_by_role("button", name="Log in").click()
        await expect(page).to_have_url(f"{restarted_site.web_url}/?status=available")
        await expect(page.locator("[data-fresh]")).to_have_text("Live")
