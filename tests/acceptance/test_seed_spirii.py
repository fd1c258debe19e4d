"""The user's document on Spirii's temporary statuses: its example PATCH, sent to an account there, and its answer.

The same contract served by the bridge itself is tested in test_temporary.py, with the document's literal moments.
Source: Spirii API, "Update a Temporary EVSE Status", PATCH /v2/temporary-evse-statuses/{id}.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.acceptance.conftest import MakeSite
from tests.acceptance.processes import until
from tests.acceptance.recording import RecordingHub, Scripted
from tests.acceptance.scripted import KEY

EVSE = "DK*SPI*E123*1"
PATH = "/v2/temporary-evse-statuses"
CONFIG = """
[ocpp]
id_tags = "reject"
[accounts.spirii]
kind = "spirii"
mode = "live"
base_url = "{url}"
api_key = "spirii-key"
[operators.spi]
name = "Spirii's operator"
accounts = ["spirii"]
"""
INVENTORY = f"station,version,key,connector,evse_id,operator,spirii\nSPI1,1.6,{KEY},1,{EVSE},spi,true\n"


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_the_example_request_of_the_document_reaches_spirii_to_the_letter(make_site: MakeSite) -> None:
    begins = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)  # the document's own are long past
    example = {
        "temporaryStatus": "MAINTENANCE",
        "validFrom": wire(begins),
        "validTo": wire(begins + timedelta(hours=8)),
    }
    entry = {"id": 42, "evseId": EVSE, "temporaryStatus": "BLOCKED", "validFrom": wire(begins)}
    async with RecordingHub(Scripted(200, [])) as hub:
        hub.routes = {
            ("POST", PATH): Scripted(201, entry),
            ("PATCH", f"{PATH}/42"): Scripted(200, {**entry, **example}),
            ("DELETE", f"{PATH}/42"): Scripted(204),
        }
        site = make_site()
        site.configure(CONFIG.format(url=hub.url))
        await site.start_bridge()
        await site.import_inventory(INVENTORY)
        created = {"evseId": EVSE, "temporaryStatus": "BLOCKED", "validFrom": wire(begins)}
        status, made = await site.spirii("POST", "", created)
        assert status == 201
        await until(lambda: hub.requests_to("POST", PATH), 10, "the creation")
        (posted,) = hub.requests_to("POST", PATH)
        assert posted.headers["authorization"] == "Bearer spirii-key"
        assert posted.body == created

        status, changed = await site.spirii("PATCH", f"/{made['id']}", example)
        assert (status, changed) == (200, {"id": made["id"], "evseId": EVSE, **example})
        await until(lambda: hub.requests_to("PATCH", f"{PATH}/42"), 10, "the change")
        (patched,) = hub.requests_to("PATCH", f"{PATH}/42")
        assert patched.body == example
        assert patched.headers["content-type"] == "application/json"

        status, _ = await site.spirii("DELETE", f"/{made['id']}", None)
        assert status == 204
        await until(lambda: hub.requests_to("DELETE", f"{PATH}/42"), 10, "the removal")
