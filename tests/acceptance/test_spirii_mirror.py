"""Mirror to Spirii with real processes: seed 003's example, `kill -9` while a creation hangs, an entry of others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.controls import Hub
from tests.acceptance.harness import ROOT, Site
from tests.acceptance.processes import until
from tests.acceptance.scripted import KEY

EVSE = "DK*SPI*E123*1"
INVENTORY = f"station,version,key,connector,evse_id,operator,spirii\nMIRRORED,1.6,{KEY},1,{EVSE},demo,true\n"
SEED_003 = {
    "temporaryStatus": "MAINTENANCE",
    "validFrom": "2125-04-23T10:00:00Z",
    "validTo": "2125-04-23T18:00:00Z",
}
"""The example request of "Update a Temporary EVSE Status", in a year in which it has not ended."""
OTHERS = {"id": 900, "evse_id": EVSE, "status": "BLOCKED", "valid_from": "2026-01-01T00:00:00Z"}


async def start(make_site: MakeSite, **settings: str) -> tuple[Site, Hub]:
    """Start a bridge with an account at the mock Spirii, which holds an entry of somebody else's."""
    site = make_site(**settings)
    await site.start_hubs()
    assert site.mirror is not None
    await site.mirror.configure(entries=[OTHERS])
    demo = (ROOT / "config" / "demo" / "bridge.toml").read_text(encoding="utf-8")
    account = (
        f'[accounts.spirii]\nkind = "spirii"\nmode = "live"\nbase_url = "{site.mirror_url}"\napi_key = "spirii-key"\n'
    )
    listed = demo.replace('accounts = ["hubject", "chargeprice"]', 'accounts = ["hubject", "chargeprice", "spirii"]')
    site.configure(f"{listed}\n{account}")
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    return site, site.mirror


async def create(site: Site, **members: str) -> int:
    status, body = await site.spirii("POST", "", {"evseId": EVSE, **SEED_003, **members})
    assert status == 201, body
    return int(body["id"])


async def until_held(hub: Hub, *wanted: dict[str, Any], within: float = 20) -> None:
    """Wait until Spirii holds these entries of ours and no other."""

    async def look() -> bool:
        entries = (await hub.documents("temporary")).values()
        held = [{name: one[name] for name in (*SEED_003, "evseId")} for one in entries]
        return held == [{"evseId": EVSE, **one} for one in wanted]

    await until(look, within, f"Spirii holds {wanted}")


async def assert_rules_kept(hub: Hub) -> None:
    assert await hub.violations() == []
    assert await hub.documents("removed") == {}, "an entry of others was deleted"


async def test_seed_003_reaches_spirii_and_is_changed_and_deleted_there_once(make_site: MakeSite) -> None:
    site, hub = await start(make_site)
    number = await create(site, temporaryStatus="BLOCKED")
    await until_held(hub, {**SEED_003, "temporaryStatus": "BLOCKED"})
    assert (await site.spirii("PATCH", f"/{number}", SEED_003))[0] == 200
    await until_held(hub, SEED_003)
    assert (await site.spirii("PATCH", f"/{number}", {"validTo": None}))[0] == 200
    await until_held(hub, {**SEED_003, "validTo": None})
    assert (await site.spirii("DELETE", f"/{number}"))[0] == 204
    await until_held(hub)
    actions = [entry["action"] for entry in await hub.journal() if entry["action"] != "list"]
    assert actions == ["create", "update", "update", "delete"]

    async def settled() -> bool:
        (account,) = [one for one in (await site.ask("upstreams"))["items"] if one["name"] == "spirii"]
        return (account["state"], account["backlog"], account["refused"]) == ("ok", 0, 0)

    # The hub holds it a moment before the bridge has the answer and has committed it.
    await until(settled, 20, "the account is settled")
    await assert_rules_kept(hub)


@pytest.mark.kill
async def test_kill_while_a_creation_hangs_after_it_was_applied_makes_no_second_entry(make_site: MakeSite) -> None:
    site, hub = await start(make_site, PUSH__TOTAL_TIMEOUT="15 s")
    await hub.script(kind="hang", applied=True, action=["create"])
    number = await create(site)
    await until_held(hub, SEED_003)
    site.kill_bridge()
    await hub.heal()
    before = await hub.last()
    await site.start_bridge()
    assert (await site.spirii("PATCH", f"/{number}", {"temporaryStatus": "RESERVED"}))[0] == 200
    await until_held(hub, {**SEED_003, "temporaryStatus": "RESERVED"})
    later = [entry["action"] for entry in await hub.journal(before)]
    assert "create" not in later
    assert later[-2:] == ["list", "update"]
    assert (await site.spirii("DELETE", f"/{number}"))[0] == 204
    await until_held(hub)
    await assert_rules_kept(hub)


@pytest.mark.kill
async def test_kill_before_a_creation_was_applied_makes_it_once(make_site: MakeSite) -> None:
    site, hub = await start(make_site, PUSH__TOTAL_TIMEOUT="15 s")
    await hub.script(kind="hang", action=["create"])
    await create(site)

    async def hangs() -> bool:
        return "create" in [entry["action"] for entry in await hub.journal()]

    await until(hangs, 10, "the creation hangs")
    site.kill_bridge()
    await hub.heal()
    await site.start_bridge()
    await until_held(hub, SEED_003)
    await assert_rules_kept(hub)


async def test_account_that_is_the_bridge_itself_is_refused_before_anything_starts(make_site: MakeSite) -> None:
    site = make_site(WEB__PORT="18080")
    site.configure(
        '[accounts.spirii]\nkind = "spirii"\nbase_url = "http://127.0.0.1:18080"\napi_key = "s3cr3t"\n'
        '[operators.demo]\nname = "Demo"\naccounts = ["spirii"]\n'
    )
    code, text = await site.run("check-config")
    assert code != 0
    assert "accounts.spirii.base_url" in text
    assert "is this bridge's own [web] address" in text
    assert "s3cr3t" not in text
