"""What a hub is told besides statuses, on the pages: the fullLoad of EVSE data, and Spirii's temporary statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

from tests.acceptance.harness import ROOT, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY, inventory
from tests.acceptance.test_hubject_data import listing
from tests.e2e.browsing import Visitors, shoot
from tests.e2e.scenes import EVSE, STATION, WITHIN_S

if TYPE_CHECKING:
    from tests.e2e.conftest import MakeSite

MIRRORED = "DK*SPI*E123*1"


async def test_a_full_load_of_evse_data_shows_what_it_changes_before_it_runs(
    visitors: Visitors, make_site: MakeSite
) -> None:
    site = make_site(ACCOUNTS__HUBJECT__EVSE_DATA="true")
    await site.start_hubs("--needs-data")
    await site.start_bridge()
    await site.order("listings", {"toml": listing(EVSE)})
    await site.import_inventory(inventory(STATION))
    hub = site.hubs["hubject"]

    async def data_loads() -> int:
        journal = await hub.journal()
        return sum(entry["operation"].startswith("eRoamingPushEvseData") for entry in journal)

    async def listed() -> bool:
        return EVSE in await hub.documents("evse_data")

    await until(listed, WITHIN_S, "Hubject has the EVSE's data")
    before = await data_loads()
    page = await visitors.open(site, "/hubs/hubject")
    await page.get_by_role("link", name="Run fullLoad of EVSE data now…").click()
    await expect(page.locator(".tabs [aria-current=page]")).to_have_text("EVSE data")
    await expect(page.get_by_text("The hub then has 1 EVSE: 1 as now.")).to_be_visible()
    assert await data_loads() == before
    await shoot(page, "hub-full-load-data")
    await page.get_by_role("button", name="Run fullLoad now").click()
    await expect(page.get_by_role("status").filter(has_text="A fullLoad of data is ordered")).to_be_visible()

    async def sent() -> bool:
        return await data_loads() > before

    await until(sent, WITHIN_S, "Hubject was sent a fullLoad of EVSE data")


async def test_no_full_load_of_data_is_offered_where_the_account_sends_none(
    visitors: Visitors, quiet_site: Site
) -> None:
    visitors.expect_complaint("409")
    page = await visitors.open(quiet_site, "/hubs/hubject")
    await expect(page.get_by_role("link", name="Run fullLoad now…")).to_be_visible()
    await expect(page.get_by_role("link", name="Run fullLoad of EVSE data now…")).to_have_count(0)
    response = await page.goto("/hubs/hubject/full-load?scope=data")
    assert response is not None
    assert response.status == 409
    await expect(page.locator("main")).to_contain_text("accounts.hubject.evse_data is false")


async def test_the_preview_names_the_account_that_temporary_statuses_are_mirrored_to(
    visitors: Visitors, make_site: MakeSite
) -> None:
    site = make_site()
    await site.start_hubs()
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    account = (
        f'[accounts.spirii]\nkind = "spirii"\nmode = "live"\nbase_url = "{site.mirror_url}"\napi_key = "spirii-key"'
    )
    served = demo.replace('accounts = ["hubject", "chargeprice"]', 'accounts = ["hubject", "chargeprice", "spirii"]')
    site.configure(f"{served}\n{account}\n")
    await site.start_bridge()
    columns = "station,version,key,connector,evse_id,operator,spirii"
    await site.import_inventory(f"{columns}\nMIRRORED,1.6,{KEY},1,{MIRRORED},demo,true\n")
    page = await visitors.open(site, f"/temporary/new?evse={MIRRORED}")
    await page.get_by_role("radio", name="maintenance").check()
    await page.get_by_role("button", name="Preview…").click()
    row = page.get_by_role("row", name="spirii")
    await expect(row).to_contain_text("the temporary status itself: MAINTENANCE")
    await shoot(page, "temporary-mirrored")
    assert site.mirror is not None
    assert await site.mirror.documents("temporary") == {}
    await page.get_by_role("button", name="Create").click()

    async def mirrored() -> bool:
        held = (await site.mirror.documents("temporary")).values() if site.mirror else ()
        return [(one["evseId"], one["temporaryStatus"]) for one in held] == [(MIRRORED, "MAINTENANCE")]

    await until(mirrored, WITHIN_S, "Spirii holds it")
    await page.goto("/hubs/spirii")
    await expect(page.locator("#standing")).to_contain_text("Live")
