"""What somebody has open, typed or held stays theirs, whatever happens meanwhile; nobody has to do a thing twice."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors, log_in
from tests.e2e.scenes import another_station, told


async def test_the_past_is_drawn_up_to_now_and_an_open_table_stays_open(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (station, name):
        evse = evse_id(name)
        page = await visitors.open(quiet_site, f"/evses/{evse}")
        past = page.locator("#past")
        await past.get_by_text("As a table").click()
        await expect(past.locator("tbody tr").first).to_contain_text("available")
        await station.report("Charging")
        await expect(past.locator("tbody tr").first).to_contain_text("charging")
        await expect(past.locator("details")).to_have_attribute("open", "")
        ends = """(() => {
          const last = [...document.querySelectorAll("#past rect")].pop();
          return parseFloat(last.getAttribute("x")) + parseFloat(last.getAttribute("width"));
        })()"""
        assert 99.9 <= await page.evaluate(ends) <= 100.1
        for span in ("7d", "30d", "24h"):
            await past.get_by_role("link", name=span).click()
            await expect(past.get_by_role("img", name=f"Effective status over {span}")).to_be_visible()
            await expect(past.locator("[aria-current]")).to_have_text(span)


async def test_a_temporary_status_is_ended_on_the_page_of_its_evse(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        await quiet_site.order("temporary-statuses", {"evse_ids": [evse], "status": "MAINTENANCE"})
        await told(quiet_site, "OutOfService", evse)
        page = await visitors.open(quiet_site, f"/evses/{evse}")
        await page.get_by_role("button", name="End now").click()
        await page.get_by_role("button", name="End it").click()
        await expect(page.get_by_role("status").filter(has_text="Ended: 1 EVSE.")).to_be_visible()
        await expect(page).to_have_url(f"{quiet_site.web_url}/evses/{evse}")
        await told(quiet_site, "Available", evse)


async def test_what_was_typed_outlives_the_session_and_is_sent_after_the_next_login(
    visitors: Visitors, shared_site: Site
) -> None:
    page = await visitors.open(shared_site, "/temporary/new")
    await page.get_by_label("EVSE ids, one per line").fill("DE*ABC*E00001*1")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Preview…").click()
    await expect(page.get_by_role("status").filter(has_text="You are logged out")).to_be_visible()
    await expect(page.get_by_label("EVSE ids, one per line")).to_have_value("DE*ABC*E00001*1")
    other = await page.context.new_page()
    await log_in(other, shared_site.admin_key)
    await page.get_by_role("button", name="Preview…").click()
    await expect(page.get_by_role("row", name="hubject")).to_be_visible()


async def test_a_link_from_elsewhere_goes_on_where_one_is_logged_in(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site, "/")
    address = f"{shared_site.web_url.replace('127.0.0.1', 'localhost')}/elsewhere"
    link = f"<a href='{shared_site.web_url}/stations'>Stations</a>"
    await page.route(address, lambda route: route.fulfill(body=link, content_type="text/html"))
    visitors.expect_complaint("asked elsewhere: .*/elsewhere|favicon|404")
    await page.goto(address)
    await page.get_by_role("link", name="Stations").click()
    await expect(page).to_have_url(f"{shared_site.web_url}/stations")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Stations")


async def test_the_page_for_everybody_renews_itself_and_filters(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (station, name):
        page = await visitors.open(quiet_site, "about:blank", key=None)
        await page.clock.install(time=datetime.now(UTC))
        await page.goto("/public")
        item = page.locator("ul.public li", has_text=evse_id(name))
        await expect(item).to_contain_text("available")
        await station.report("Charging")
        await told(quiet_site, "Occupied", evse_id(name))
        await page.evaluate("window.never_reloaded = true")

        async def renewed() -> bool:
            await page.clock.fast_forward(61_000)
            return "busy" in await item.inner_text()

        await until(renewed, 30, "the page for everybody shows the change")
        assert await page.evaluate("window.never_reloaded") is True
        await page.locator(".counter", has_text="busy").click()
        await expect(item).to_have_count(1)


async def test_pages_can_be_read_and_filtered_without_scripts(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site, "/", java_script_enabled=False)
    evse, station = "/evses/DE*ABC*E00001*1", "/stations/SIM-00001"
    for path in ("/", evse, "/stations", station, "/hubs", "/hubs/hubject", "/temporary"):
        response = await page.goto(path)
        assert response is not None
        assert response.status == 200, path
        await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await page.goto("/deliveries")
    await page.locator("select[name=account]").select_option("chargeprice")
    await page.get_by_role("button", name="Filter").click()
    await expect(page.locator("#deliveries tbody tr").first).to_contain_text("chargeprice")


async def test_a_key_of_one_operator_sees_its_own_pages_and_is_told_why_not_others(
    visitors: Visitors, shared_site: Site
) -> None:
    visitors.expect_complaint("403")
    made = await shared_site.order("keys", {"name": "bound", "role": "operator", "operators": ["demo"]})
    page = await visitors.open(shared_site, "/", key=made["key"])
    await expect(page.locator("#evses tbody tr").first).to_be_visible()
    await page.goto("/evses/DE*ABC*E00001*1")
    await expect(page.get_by_role("heading", level=1)).to_have_text("DE*ABC*E00001*1")
    for path in ("/stations", "/hubs", "/quarantine"):
        await page.goto(path)
        await expect(page.get_by_role("heading", name="Forbidden")).to_be_visible()
        await expect(page.locator("main")).to_contain_text("bound to demo")


async def test_p_shows_the_problems(visitors: Visitors, shared_site: Site) -> None:
    page = await visitors.open(shared_site, "/")
    await page.keyboard.press("p")
    await expect(page).to_have_url(f"{shared_site.web_url}/?problems=true")
    await expect(page.get_by_role("heading", level=2).first).to_have_text("With problems")
