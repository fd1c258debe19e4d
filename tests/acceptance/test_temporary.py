"""Temporary statuses with real processes: seed 003's request and answers, both hubs, kill -9, moments while down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import ScriptedStation, evse_id, inventory

NAME = "temporary"
EVSE = evse_id(NAME).upper()
IN_USE, OUT = ("Occupied", "occupied"), ("OutOfService", "maintainance")
WITHIN = timedelta(seconds=2)
"""A temporary status begins and ends within 2 s of its moment."""
PUSHED_S = 3.0
"""And then it is pushed to two hubs on this machine, which may be busy."""

SEED_003: dict[str, Any] = {
    "temporaryStatus": "MAINTENANCE",
    "validFrom": "2025-04-23T10:00:00Z",
    "validTo": "2025-04-23T18:00:00Z",
}
"""The example request of Spirii's page "Update a Temporary EVSE Status"."""


def wire(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def told(site: Site) -> tuple[str | None, str | None]:
    """Return what Hubject and Chargeprice hold of the EVSE."""
    hubject, chargeprice = await site.hubs["hubject"].state(), await site.hubs["chargeprice"].state()
    return hubject.get(EVSE), chargeprice.get(f"{NAME}-site/{NAME}-point")


async def until_told(site: Site, words: tuple[str, str], by: datetime | None = None) -> None:
    """Wait until both hubs hold these words; `by`: at the latest this long after that moment, plus the push."""
    late = 20.0 if by is None else (by + WITHIN - datetime.now(UTC)).total_seconds() + PUSHED_S

    async def look() -> bool:
        return await told(site) == words

    await until(look, late, f"both hubs hold {words}")


async def passed(moment: datetime) -> None:
    await until(lambda: datetime.now(UTC) > moment, 20, f"{moment} passed")


async def create(site: Site, **members: Any) -> dict[str, Any]:
    status, body = await site.spirii("POST", "", {"evseId": EVSE, "temporaryStatus": "MAINTENANCE", **members})
    assert status == 201, body
    return dict(body)


async def start(make_site: MakeSite) -> Site:
    """Start a bridge and both hubs, which hold that a car charges at the one EVSE."""
    site = make_site(ACCOUNTS__HUBJECT__FULL_LOAD="never")
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(inventory(NAME))
    async with ScriptedStation(site.ocpp_url, NAME) as station:
        await station.boot()
        await station.report("Charging")
    await until_told(site, IN_USE)
    return site


async def test_seed_003_and_each_of_its_answers(make_site: MakeSite) -> None:
    site = await start(make_site)
    made = await create(site, evseId=EVSE.replace("*", ".").lower())
    assert made == {
        "id": made["id"],
        "temporaryStatus": "MAINTENANCE",
        "evseId": EVSE,
        "validFrom": made["validFrom"],
    }
    place = f"/{made['id']}"
    await until_told(site, OUT)
    assert await site.spirii("GET") == (200, [made])
    assert await site.spirii("GET", place) == (200, made)

    assert await site.spirii("PATCH", place, SEED_003) == (200, {"id": made["id"], "evseId": EVSE, **SEED_003})
    await until_told(site, IN_USE)
    assert await site.spirii("GET") == (200, [])
    assert await site.spirii("GET", activeOnly="false") == (200, [{"id": made["id"], "evseId": EVSE, **SEED_003}])

    assert (await site.spirii("PATCH", place, {"validTo": None}))[0] == 200
    await until_told(site, OUT)
    assert await site.spirii("DELETE", place) == (204, None)
    await until_told(site, IN_USE)
    refusals = {
        "unknown EVSE": await site.spirii("POST", "", {"evseId": "DK*SPI*E123*1", "temporaryStatus": "BLOCKED"}),
        "unknown id": await site.spirii("PATCH", place, SEED_003),
        "end before its beginning": await site.spirii(
            "POST", "", {"evseId": EVSE, **SEED_003, "validTo": "2025-04-23T09:00:00Z"}
        ),
        "no such day": await site.spirii("POST", "", {"evseId": EVSE, **SEED_003, "validTo": "2027-02-30T09:00:00Z"}),
        "no such field": await site.spirii("POST", "", {"evseId": EVSE, **SEED_003, "validUntil": None}),
        "no such method": await site.spirii("PUT", place, {}),
    }
    assert {what: status for what, (status, _) in refusals.items()} == {
        "unknown EVSE": 404,
        "unknown id": 404,
        "end before its beginning": 422,
        "no such day": 422,
        "no such field": 400,
        "no such method": 405,
    }
    for _, body in refusals.values():
        assert set(body["error"]) == {"type", "code", "message", "param", "request_id"}
    await site.assert_rules_kept()


async def test_begins_and_ends_at_its_moments_and_then_shows_the_newest_real_status(make_site: MakeSite) -> None:
    site = await start(make_site)
    begins = datetime.now(UTC) + timedelta(seconds=0.7)
    ends = begins + timedelta(seconds=2)
    await create(site, validFrom=wire(begins), validTo=wire(ends))
    assert await told(site) == IN_USE
    await until_told(site, OUT, begins)
    assert datetime.now(UTC) >= begins
    async with ScriptedStation(site.ocpp_url, NAME) as station:
        await station.report("Reserved")
        assert await told(site) == OUT
        await until_told(site, ("Reserved", "reserved"), ends)
    assert datetime.now(UTC) >= ends
    await site.assert_rules_kept()


async def test_kill_9_across_the_beginning_and_the_end_and_both_while_down(make_site: MakeSite) -> None:
    site = await start(make_site)
    begins = datetime.now(UTC) + timedelta(seconds=0.5)
    made = await create(site, validFrom=wire(begins))
    site.kill_bridge()
    await passed(begins)
    await site.start_bridge()
    await until_told(site, OUT)

    ends = datetime.now(UTC) + timedelta(seconds=0.5)
    status, _ = await site.spirii("PATCH", f"/{made['id']}", {"validTo": wire(ends)})
    assert status == 200
    site.kill_bridge()
    await passed(ends)
    await site.start_bridge()
    await until_told(site, IN_USE)

    begins = datetime.now(UTC) + timedelta(seconds=1.5)
    await create(site, validFrom=wire(begins), validTo=wire(begins + timedelta(seconds=0.3)))
    asked = await site.hubs["hubject"].last()
    site.kill_bridge()
    await passed(begins + timedelta(seconds=0.3))
    await site.start_bridge()
    status, active = await site.spirii("GET")
    assert (status, active) == (200, [])
    assert await told(site) == IN_USE
    assert await site.hubs["hubject"].last() == asked


async def test_command_line_does_the_same_with_the_bridge_running_and_stopped(make_site: MakeSite) -> None:
    site = await start(make_site)
    (made,) = (await site.document("temporary", "create", EVSE, "--status", "BLOCKED", "--for", "2 h"))["items"]
    assert (made["phase"], made["created_by"]) == ("active", "admin")
    assert [item["id"] for item in (await site.spirii("GET"))[1]] == [made["id"]]
    assert await site.stop_bridge() == 0
    (listed,) = (await site.document("temporary", "list"))["items"]
    assert listed == made
    await site.document("temporary", "end", str(made["id"]))
    (mine,) = (await site.document("temporary", "create", EVSE, "--status", "MAINTENANCE"))["items"]
    assert mine["created_by"] == "command line"
    await site.start_bridge()
    await until_told(site, OUT)
