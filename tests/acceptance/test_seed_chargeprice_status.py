"""The user's document on Chargeprice's charge point status: its example request and each of its answers.

Source: Chargeprice API, PUT …/charge_points/:charge_point_id/status [DRAFT].
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.recording import RecordingHub, Scripted
from tests.acceptance.scripted import KEY, ScriptedStation

COMPANY = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
PATH = f"/v1/companies/{COMPANY}/charging_stations/123/charge_points/456/status"
CONFIG = """
[ocpp]
id_tags = "reject"
[accounts.chargeprice]
kind = "chargeprice"
base_url = "{url}"
company_id = "1e49b853-36fc-47ed-9826-97828b5b2fdd"
api_key = "my-secret-key"
[operators.abc]
name = "ABC technologies"
accounts = ["chargeprice"]
"""
INVENTORY = (
    "station,version,key,connector,evse_id,operator,chargeprice_station,chargeprice_point\n"
    f"ABC1,1.6,{KEY},1,DE*ABC*E1,abc,123,456\n"
)
NO_CONTENT = Scripted(204)


def error(status: int, title: str) -> Scripted:
    return Scripted(status, {"errors": [{"status": str(status), "title": title}]})


ANSWERS = [
    pytest.param(error(400, "..."), "refused", "HTTP 400", id="400 Bad Request"),
    pytest.param(error(403, "api_key missing"), "held", "api_key missing", id="403 Forbidden"),
    pytest.param(error(500, "Some error message..."), "deferred", "Some error message...", id="500"),
]


@asynccontextmanager
async def bridge_with_one_evse(make_site: MakeSite, hub: RecordingHub) -> AsyncIterator[tuple[Site, ScriptedStation]]:
    """Run a bridge whose only EVSE is occupied, and only then let it speak to Chargeprice."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s")
    site.configure(CONFIG.format(url=hub.url))
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    async with ScriptedStation(site.ocpp_url, "ABC1") as station:
        await station.boot()
        await station.report("Charging")
        await site.order("upstreams/chargeprice/enable", {"mode": "live"})
        yield site, station


async def delivery(site: Site) -> dict[str, Any]:
    return dict((await site.evses())[0]["deliveries"]["chargeprice"])


async def test_the_example_request_of_the_document_reaches_chargeprice_to_the_letter(make_site: MakeSite) -> None:
    async with RecordingHub(NO_CONTENT) as hub, bridge_with_one_evse(make_site, hub) as (site, _):
        request = await hub.request(0)
        assert (request.method, request.path) == ("PUT", PATH)
        assert request.headers["content-type"] == "application/json"
        assert request.headers["api-key"] == "my-secret-key"
        assert request.body == {
            "data": {"type": "charge_point_status", "attributes": {"status": "occupied", "valid_until": None}}
        }

        async def agreed() -> bool:
            return (await delivery(site))["state"] == "agreed"

        await until(agreed, 5, "204 No Content is an acknowledgement")


@pytest.mark.parametrize(("answer", "state", "named"), ANSWERS)
async def test_each_error_of_the_document_is_shown_and_healed(
    make_site: MakeSite, answer: Scripted, state: str, named: str
) -> None:
    async with RecordingHub(NO_CONTENT) as hub:
        hub.answer_next(*[answer] * 20)
        async with bridge_with_one_evse(make_site, hub) as (site, station):

            async def shown() -> bool:
                found = await delivery(site)
                return found["state"] == state and named in found["why"]

            await until(shown, 10, f"{state} for {named}")
            hub.heal()
            await station.report("Faulted")
            await site.order("upstreams/chargeprice/enable", {"mode": "live"})  # a held account is probed at once

            async def agreed() -> bool:
                found = await delivery(site)
                return (found["state"], found["acked"]) == ("agreed", "maintainance")

            await until(agreed, 20, "the newest value, once Chargeprice answers 204")
