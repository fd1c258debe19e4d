"""The user's document on eRoamingPushEvseStatus: its example request, its answer, and every other code.

Source: Hubject's OICP 2.3 integration guide, eRoamingPushEvseStatus (for CPOs); its page of status codes.
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

EVSE = "DE*ABC*E840*6487"
CONFIG = """
[ocpp]
id_tags = "reject"
[accounts.hubject]
kind = "oicp"
base_url = "{url}/api/oicp"
operator_id = "DE*ABC"
operator_name = "ABC technologies"
action = "insert"
full_load = "never"
[operators.abc]
name = "ABC technologies"
accounts = ["hubject"]
"""
INVENTORY = f"station,version,key,connector,evse_id,operator\nABC1,1.6,{KEY},1,{EVSE},abc\n"

SUCCESS = {
    "Result": True,
    "StatusCode": {"Code": "000", "Description": None, "AdditionalInfo": None},
    "SessionID": None,
    "CPOPartnerSessionID": None,
    "EMPPartnerSessionID": None,
}


def refusal(code: str) -> dict[str, Any]:
    return {"Result": False, "StatusCode": {"Code": code, "Description": "as scripted", "AdditionalInfo": None}}


def error(code: str) -> dict[str, Any]:
    return {"StatusCode": {"Code": code, "Description": "as scripted", "AdditionalInfo": None}}


HTML = "<html><head><title>400 The SSL certificate error</title></head><body></body></html>"
INVALID = {
    "message": "Error parsing/validating JSON.",
    "validationErrors": [{"fieldReference": "operatorEvseStatus.operatorName", "errorMessage": "must match"}],
}

REFUSED = "refused"
DEFERRED = "deferred"
HELD = "held"
ANSWERS = [
    *(pytest.param(Scripted(200, refusal(code)), DEFERRED, code, id=code) for code in ("001", "002", "009", "021")),
    *(pytest.param(Scripted(200, refusal(code)), DEFERRED, code, id=code) for code in ("310", "320")),
    *(pytest.param(Scripted(200, refusal(code)), REFUSED, code, id=code) for code in ("018", "022", "603", "604")),
    pytest.param(Scripted(401, error("017")), HELD, "017", id="401 017"),
    pytest.param(Scripted(403, error("210")), HELD, "210", id="403 210"),
    pytest.param(Scripted(404, error("300")), HELD, "300", id="404 300"),
    pytest.param(Scripted(400, INVALID), REFUSED, "HTTP 400", id="400 validation"),
    pytest.param(Scripted(400, HTML, content_type="text/html"), HELD, "HTTP 400", id="400 HTML"),
    pytest.param(Scripted(403, HTML, content_type="text/html"), HELD, "HTTP 403", id="403 HTML"),
    pytest.param(Scripted(429, ""), DEFERRED, "HTTP 429", id="429"),
    pytest.param(Scripted(500, error("500")), DEFERRED, "500", id="500"),
    pytest.param(Scripted(503, ""), DEFERRED, "HTTP 503", id="503"),
    pytest.param(Scripted(200, {"StatusCode": {"Code": "000"}}), DEFERRED, "not proven", id="no Result"),
]


@asynccontextmanager
async def bridge_with_one_evse(make_site: MakeSite, hub: RecordingHub) -> AsyncIterator[tuple[Site, ScriptedStation]]:
    """Run a bridge whose only EVSE is available, and only then let it speak to Hubject."""
    site = make_site(STATUS__AVAILABLE_HOLD="0 s")
    site.configure(CONFIG.format(url=hub.url))
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    async with ScriptedStation(site.ocpp_url, "ABC1") as station:
        await station.boot()
        await station.report("Available")
        await site.order("upstreams/hubject/enable", {"mode": "live"})
        yield site, station


async def delivery(site: Site) -> dict[str, Any]:
    return dict((await site.evses())[0]["deliveries"]["hubject"])


async def test_the_example_request_of_the_document_reaches_hubject_to_the_letter(make_site: MakeSite) -> None:
    async with (
        RecordingHub(Scripted(200, SUCCESS)) as hub,
        bridge_with_one_evse(make_site, hub) as (site, _),
    ):
        request = await hub.request(0)
        assert (request.method, request.path) == ("POST", "/api/oicp/evsepush/v21/operators/DE*ABC/status-records")
        assert request.headers["content-type"] == "application/json"
        assert request.body == {
            "ActionType": "insert",
            "OperatorEvseStatus": {
                "EvseStatusRecord": [{"EvseID": EVSE, "EvseStatus": "Available"}],
                "OperatorID": "DE*ABC",
                "OperatorName": "ABC technologies",
            },
        }

        async def agreed() -> bool:
            return (await delivery(site))["state"] == "agreed"

        await until(agreed, 5, "Result true and code 000 are an acknowledgement")


@pytest.mark.parametrize(("answer", "state", "named"), ANSWERS)
async def test_any_other_answer_is_an_error_of_its_own_kind_and_what_follows_it_heals_it(
    make_site: MakeSite, answer: Scripted, state: str, named: str
) -> None:
    async with RecordingHub(Scripted(200, SUCCESS)) as hub:
        hub.answer_next(*[answer] * 20)
        async with bridge_with_one_evse(make_site, hub) as (site, station):

            async def shown() -> bool:
                found = await delivery(site)
                return found["state"] == state and named in found["why"]

            await until(shown, 10, f"{state} for {named}")
            hub.heal()
            await station.report("Faulted")
            await site.order("upstreams/hubject/enable", {"mode": "live"})  # a held account is probed at once

            async def agreed() -> bool:
                found = await delivery(site)
                return (found["state"], found["acked"]) == ("agreed", "OutOfService")

            await until(agreed, 20, "the newest value, once Hubject answers 000")
            bodies = [request.body["OperatorEvseStatus"]["EvseStatusRecord"] for request in hub.requests]
            assert bodies[-1] == [{"EvseID": EVSE, "EvseStatus": "OutOfService"}]
