"""An EVSE's page in a browser: sending again, who may, hostile strings, a key that is revoked."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.acceptance.harness import Site
from tests.acceptance.scripted import evse_id
from tests.e2e.browsing import Visitors, log_in
from tests.e2e.scenes import another_station

HOSTILE = "<script>alert(1)</script>\"'&lt;\u202e" + "x" * 10_000


async def test_a_refused_row_is_sent_again_at_once_when_an_operator_says_so(
    visitors: Visitors, quiet_site: Site
) -> None:
    async with another_station(quiet_site) as (station, name):
        await quiet_site.hubs["chargeprice"].script(kind="status", status=422)
        try:
            await station.report("Charging")
            page = await visitors.open(quiet_site, f"/evses/{evse_id(name)}")
            row = page.locator(".hub-row", has_text="chargeprice")
            await expect(row.locator(".chip").first).to_have_text("refused")
            await expect(page.locator("#log")).to_contain_text("HTTP 422")
        finally:
            await quiet_site.hubs["chargeprice"].heal()
        await row.get_by_role("button", name="Retry now").click()
        await expect(page.get_by_role("status").filter(has_text="sent to chargeprice")).to_be_visible()
        await expect(row.locator(".chip").first).to_have_text("agreed")
        sent = page.locator("#log").get_by_role("row", name="chargeprice").first
        await sent.get_by_role("link", name="Details").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("chargeprice")
        await expect(page.locator("main")).not_to_contain_text("demo-key")


async def test_whoever_may_only_look_sees_no_buttons_and_is_refused_by_the_server(
    visitors: Visitors, quiet_site: Site
) -> None:
    key = (await quiet_site.order("keys", {"name": "may-only-look", "role": "viewer"}))["key"]
    async with another_station(quiet_site) as (_, name):
        evse = evse_id(name)
        page = await visitors.open(quiet_site, f"/evses/{evse}", key=key)
        await expect(page.get_by_role("heading", level=1)).to_have_text(evse)
        await expect(page.get_by_role("button", name="Retry now")).to_have_count(0)
        await expect(page.get_by_role("link", name="Temporary status")).to_have_count(0)
        visitors.expect_complaint("403")
        status = await page.evaluate(
            """async (evse) => {
              const csrf = document.querySelector("input[name=csrf]").value;
              const body = new URLSearchParams({ csrf, account: "chargeprice" });
              return (await fetch(`/evses/${evse}/retry`, { method: "POST", body })).status;
            }""",
            evse,
        )
        assert status == 403


@pytest.mark.row("T85")
async def test_what_a_station_says_is_shown_as_text_whatever_it_is(visitors: Visitors, quiet_site: Site) -> None:
    async with another_station(quiet_site) as (station, name):
        evse = evse_id(name)
        await station.call(
            "BootNotification", {"chargePointVendor": HOSTILE[:20], "chargePointModel": "<b>'\"", "iccid": HOSTILE[:20]}
        )
        await station.call(
            "StatusNotification",
            {
                "connectorId": 1,
                "errorCode": "OtherError",
                "status": "Faulted",
                "info": HOSTILE[:50],
                "vendorId": HOSTILE,
                "vendorErrorCode": HOSTILE[:50],
            },
        )
        page = await visitors.open(quiet_site, f"/evses/{evse}")
        await page.evaluate("window.alert = () => { window.fooled = true }")
        await expect(page.locator("#effective .badge").first).to_have_text("faulted")
        for path in ("/", f"/evses/{evse}", "/stations", f"/stations/{name}", "/deliveries", "/quarantine"):
            response = await page.goto(path)
            assert response is not None
            assert response.status == 200, path
            assert "<script>alert" not in await response.text(), path
            assert await page.evaluate("window.fooled") is None


async def test_a_key_that_is_revoked_ends_the_session_and_the_login_leads_back(
    visitors: Visitors, quiet_site: Site
) -> None:
    made = await quiet_site.order("keys", {"name": "revoked", "role": "viewer"})
    page = await visitors.open(quiet_site, "/?status=available", key=made["key"])
    await expect(page).to_have_url(f"{quiet_site.web_url}/?status=available")
    assert (await quiet_site.run("key", "revoke", "revoked"))[0] == 0
    await page.goto("/deliveries")
    await expect(page).to_have_url(f"{quiet_site.web_url}/login?next=/deliveries")
    await page.get_by_label("Key").fill("wrong")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not accepted")
    await log_in(page, quiet_site.admin_key, "/deliveries")
    await page.locator(".menu summary").click()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
