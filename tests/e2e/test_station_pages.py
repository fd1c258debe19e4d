"""What an operator does on a station's page: an order with its answer, and the wire log while it comes."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import another_station

HOSTILE = "<img src=x onerror=alert(1)>"
CONFIGURATION = {
    "configurationKey": [
        {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
        {"key": "AuthorizationKey", "readonly": False, "value": "hunter2-hunter2-hunter2"},
    ],
    "unknownKey": [],
}


async def test_a_station_is_told_and_its_answer_is_shown_in_words_and_raw(visitors: Visitors, quiet_site: Site) -> None:
    answers = {"GetConfiguration": CONFIGURATION, "ChangeAvailability": {"status": "Scheduled"}}
    async with another_station(quiet_site, answers) as (station, name):
        page = await visitors.open(quiet_site, f"/stations/{name}")
        await page.get_by_role("group", name="Read configuration").get_by_role("button").click()
        answer = page.locator("#answers li").first
        await expect(answer).to_contain_text("Read configuration: everything")
        await answer.get_by_text("2 settings").click()
        await expect(answer.get_by_role("row", name="HeartbeatInterval")).to_contain_text("300")
        assert "hunter2" not in await page.content()

        group = page.get_by_role("group", name="Availability")
        await group.get_by_label("Make it").select_option("no")
        await group.get_by_role("button").click()
        await expect(answer).to_contain_text("The station answered: Scheduled.")
        await answer.get_by_text("ChangeAvailability: the raw answer").click()
        await expect(answer.locator("pre")).to_contain_text('"status": "Scheduled"')
        await shoot(page, "station-answers")
        actions = [station.received.get_nowait()[0] for _ in range(station.received.qsize())]
        assert [action for action in actions if action in answers] == ["GetConfiguration", "ChangeAvailability"]


async def test_the_wire_log_comes_while_somebody_looks_and_can_be_filtered(
    visitors: Visitors, quiet_site: Site
) -> None:
    async with another_station(quiet_site) as (station, name):
        page = await visitors.open(quiet_site, f"/stations/{name}")
        await expect(page.locator("[data-wire-said]")).to_contain_text("Live")
        await station.call("DataTransfer", {"vendorId": HOSTILE, "data": "password=hunter2"})
        line = page.locator(".wire-line[data-action=DataTransfer]").last
        await expect(line).to_be_visible()
        await line.locator("summary").click()
        await expect(line.locator("pre")).to_contain_text(HOSTILE)
        assert "hunter2" not in await page.content()
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Download as JSON lines").click()
        assert (await download.value).suggested_filename == f"{name}.jsonl"

        await page.locator("[data-wire-filter]").get_by_label("Action").select_option("StatusNotification")
        await expect(page).to_have_url(re.compile("action=StatusNotification"))
        await station.call("Heartbeat", {})
        await station.report("Preparing")
        newest = page.locator(".wire-line[data-action=StatusNotification]:not([hidden])").first
        await expect(newest.locator("summary")).to_contain_text("{}")
        await expect(page.locator(".wire-line[data-action=Heartbeat]:not([hidden])")).to_have_count(0)
        await shoot(page, "station-log")


async def test_filters_of_stations_stand_in_the_address(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (_, name):
        page = await visitors.open(quiet_site, f"/stations?q={name}")
        await expect(page.get_by_role("row", name=name)).to_be_visible()
        await page.get_by_label("Connection").select_option("no")
        await expect(page).to_have_url(re.compile(rf"/stations\?(?=.*q={name}).*connected=no"))
        await expect(page.get_by_role("heading", name="No station is like this")).to_be_visible()
