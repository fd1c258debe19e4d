"""Orders to stations from the terminal, with a real bridge: each verb in each version, keys rotated under `kill -9`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import Site
from tests.acceptance.scripted import KEY, ScriptedStation

CONFIG = """
[ocpp]
host = "127.0.0.1"
[web]
host = "127.0.0.1"
[operators.demo]
name = "Demo Charging"
"""
INVENTORY = (
    "station,version,key,evse,connector,evse_id,operator\n"
    f"CP1,1.6,{KEY},,1,DE*ABC*E1,demo\nCP1,1.6,,,2,DE*ABC*E2,demo\nCS2,2.0.1,{KEY},1,1,DE*ABC*E3,demo\n"
)
PATIENCE_S = 10
ACCEPTED = {"status": "Accepted"}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"model": "one", "vendorName": "scripted"}}


async def start(make_site: MakeSite, **settings: str) -> Site:
    # A settle of minutes: the bridge asks nothing by itself.
    site = make_site(**{"OCPP__SETTLE": "10 min", "OCPP__SETTLE_AFTER_BOOT": "10 min", **settings})
    site.configure(CONFIG)
    await site.start_bridge()
    await site.import_inventory(INVENTORY)
    return site


async def order(site: Site, *arguments: str) -> tuple[int, Any]:
    """Run `ocpp-bridge station …`, and return its exit code and its document."""
    code, said = await site.run("station", *arguments, "--json")
    return code, json.JSONDecoder().raw_decode(said[said.index("{") :])[0]


async def received(station: ScriptedStation) -> tuple[str, dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_S):
        return await station.received.get()


ANSWERS_16: dict[str, dict[str, Any] | None] = {
    "TriggerMessage": ACCEPTED,
    "ChangeAvailability": {"status": "Scheduled"},
    "Reset": ACCEPTED,
    "GetConfiguration": {
        "configurationKey": [
            {"key": "HeartbeatInterval", "readonly": False, "value": "300"},
            {"key": "AuthorizationKey", "readonly": False, "value": "hush-hush"},
        ],
        "unknownKey": [],
    },
    "ChangeConfiguration": {"status": "RebootRequired"},
    "UnlockConnector": {"status": "UnlockFailed"},
    "ClearCache": {"status": "Perhaps"},
}


async def test_each_verb_of_ocpp_1_6(make_site: MakeSite) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, "CP1", answers=ANSWERS_16) as station:
        await station.boot()
        for arguments, sent, code, status in (
            (
                ("trigger", "CP1", "StatusNotification", "--connector", "2"),
                ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 2}),
                0,
                "Accepted",
            ),
            (
                ("availability", "cp1", "inoperative"),
                ("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
                0,
                "Scheduled",
            ),
            (("reset", "CP1", "soft"), ("Reset", {"type": "Soft"}), 0, "Accepted"),
            (
                ("configuration", "set", "CP1", "HeartbeatInterval", "60"),
                ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}),
                0,
                "RebootRequired",
            ),
            (("unlock", "CP1", "--connector", "1"), ("UnlockConnector", {"connectorId": 1}), 1, "UnlockFailed"),
        ):
            ended, document = await order(site, *arguments)
            assert (ended, document["outcome"], document["status"]) == (code, "answered", status), document
            assert await received(station) == sent

        code, document = await order(site, "configuration", "get", "CP1")
        assert code == 0
        assert await received(station) == ("GetConfiguration", {})
        assert {each["key"]: each["value"] for each in document["settings"]} == {
            "HeartbeatInterval": "300",
            "AuthorizationKey": "***",
        }
        assert "hush" not in json.dumps(document)

        code, document = await order(site, "call", "CP1", "ClearCache")
        assert (code, document["valid"], document["payload"]) == (0, False, {"status": "Perhaps"})
        assert document["why"] == "status has a value that is not allowed"
        assert await received(station) == ("ClearCache", {})

        code, document = await order(site, "call", "CP1", "GetLocalListVersion", "{}")
        assert (code, document["outcome"], document["code"]) == (1, "refused", "NotImplemented")
        assert document["why"] == "no GetLocalListVersion here"
        assert await received(station) == ("GetLocalListVersion", {})

        assert (await order(site, "call", "CP1", "Reset", "{}"))[1]["error"] == "payload: type is missing"
        code, document = await order(site, "call", "CP1", "GetVariables", "{}")
        assert (code, document["error"].partition(";")[0]) == (2, "action: ocpp1.6 has no action 'GetVariables'")
        code, document = await order(site, "configuration", "set", "CP1", "AuthorizationKey", "ab" * 20)
        assert (code, document["error"].partition(":")[0]) == (2, "key")
        assert "rotate-key" in document["error"]
        assert station.received.empty(), "nothing of what is wrong was sent"
    log = site.bridge.log.read_text("utf-8")
    assert "hush-hush" not in log


async def test_each_verb_of_ocpp_2_0_1_and_what_is_shown_of_the_station(make_site: MakeSite) -> None:
    site = await start(make_site)
    variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    answers: dict[str, dict[str, Any] | None] = {
        "TriggerMessage": ACCEPTED,
        "ChangeAvailability": ACCEPTED,
        "Reset": {"status": "Scheduled"},
        "GetVariables": {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "300", **variable}]},
        "SetVariables": {"setVariableResult": [{"attributeStatus": "Rejected", **variable}]},
        "UnlockConnector": {"status": "Unlocked"},
    }
    options: dict[str, Any] = {"subprotocol": "ocpp2.0.1", "answers": answers}
    async with ScriptedStation(site.ocpp_url, "CS2", **options) as station:
        await station.call("BootNotification", BOOT_201)
        await station.call(
            "StatusNotification",
            {"timestamp": "2026-01-01T00:00:00Z", "connectorStatus": "Occupied", "evseId": 1, "connectorId": 1},
        )
        evse = ("--evse", "1", "--connector", "1")
        for arguments, sent, code, status in (
            (
                ("trigger", "CS2", "StatusNotification", *evse),
                ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}),
                0,
                "Accepted",
            ),
            (
                ("availability", "CS2", "operative", "--evse", "1"),
                ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1}}),
                0,
                "Accepted",
            ),
            (("reset", "CS2", "hard"), ("Reset", {"type": "Immediate"}), 0, "Scheduled"),
            (
                ("configuration", "get", "CS2", "OCPPCommCtrlr.HeartbeatInterval"),
                ("GetVariables", {"getVariableData": [variable]}),
                0,
                "",
            ),
            (
                ("configuration", "set", "CS2", "OCPPCommCtrlr.HeartbeatInterval", "60"),
                ("SetVariables", {"setVariableData": [{"attributeValue": "60", **variable}]}),
                1,
                "Rejected",
            ),
            (("unlock", "CS2", *evse), ("UnlockConnector", {"evseId": 1, "connectorId": 1}), 0, "Unlocked"),
        ):
            ended, document = await order(site, *arguments)
            assert (ended, document["outcome"], document["status"]) == (code, "answered", status), document
            assert await received(station) == sent

        code, shown = await order(site, "show", "cs2")
        assert code == 0
        assert (shown["station"], shown["connection"]["version"], shown["vendor"]) == ("CS2", "ocpp2.0.1", "scripted")
        assert shown["connection"]["commandable"] is True
        assert shown["security"]["profile"] == shown["security"]["reached"] == 1
        (report,) = shown["reports"]
        assert (report["evse"], report["connector"], report["status"]) == (1, 1, "Occupied")
        assert 0 <= report["age_s"] < 60
        (listed,) = (await order(site, "list", "--connected"))[1]["items"]
        assert (listed["station"], listed["profile"]) == ("CS2", 1)
        (away,) = (await order(site, "list", "--away"))[1]["items"]
        assert (away["station"], away["connected"]) == ("CP1", False)


async def test_a_stopped_bridge_shows_stations_and_sends_them_nothing(make_site: MakeSite) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, "CP1") as station:
        await station.boot()
        code, document = await order(site, "reset", "CS2", "soft")
        assert (code, document["error"]) == (4, "CS2: the station is not connected; nothing was sent")
    assert await site.stop_bridge() == 0
    assert [item["connected"] for item in (await order(site, "list"))[1]["items"]] == [False, False]
    code, shown = await order(site, "show", "CP1")
    assert (code, shown["vendor"], shown["connection"]) == (0, "scripted", None)
    code, document = await order(site, "reset", "CP1", "soft")
    assert (code, document["error"]) == (6, "the bridge is not running: nothing can be sent to CP1")
    assert (await order(site, "show", "CP9"))[0] == 3
    code, document = await order(site, "attempts")
    assert (code, document["error"].partition(":")[0]) == (6, "the bridge is not running")


async def test_an_order_that_waits_for_its_answer_does_not_keep_the_bridge_from_stopping(make_site: MakeSite) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, "CP1", answers={"Reset": None}) as station:
        await station.boot()
        ordering = asyncio.create_task(order(site, "reset", "CP1", "soft", "--timeout", "600"))
        await received(station)
        assert await site.stop_bridge(within=10) == 0
        code, document = await ordering
        assert (code, document["outcome"]) == (1, "gone")


async def test_a_station_is_written_to_only_when_an_operator_says_so(make_site: MakeSite) -> None:
    """Boot, statuses, transactions, reconnects, a restart of ours: nothing but TriggerMessage reaches the station."""
    quick = {"OCPP__SETTLE": "0.1 s", "OCPP__SETTLE_AFTER_BOOT": "0.2 s", "OCPP__TRIGGER_TIMEOUT": "0.3 s"}
    site = await start(make_site, **quick)
    actions: list[str] = []
    for turn in range(3):
        async with ScriptedStation(site.ocpp_url, "CP1", answers={"TriggerMessage": ACCEPTED}) as station:
            if turn != 1:
                await station.boot()
            await station.report("Charging")
            await station.call(
                "StartTransaction",
                {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"},
            )
            await station.call("Heartbeat", {})
            actions.append((await received(station))[0])
            while not station.received.empty():
                actions.append(station.received.get_nowait()[0])
        if turn == 1:
            site.kill_bridge()
            await site.start_bridge()
    assert len(actions) >= 3
    assert set(actions) == {"TriggerMessage"}


# --- keys -------------------------------------------------------------------------------------------------------------


async def refused(site: Site, key: bytes) -> bool:
    try:
        async with ScriptedStation(site.ocpp_url, "CP1", key=key):
            return False
    except InvalidStatus as error:
        return error.response.status_code == 401


async def test_a_rotated_key_is_shown_once_and_takes_over_at_the_first_login(make_site: MakeSite) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, "CP1", answers={"ChangeConfiguration": ACCEPTED}) as station:
        await station.boot()
        code, rotated = await order(site, "rotate-key", "CP1")
        assert (code, rotated["state"]) == (0, "accepted")
        key = rotated["key"]
        assert await received(station) == ("ChangeConfiguration", {"key": "AuthorizationKey", "value": key})
        code, document = await order(site, "rotate-key", "CP1")
        assert code == 4
        assert "may hold either" in document["error"]
        assert station.received.empty()
    assert (await order(site, "show", "CP1"))[1]["security"]["rotating_since"] is not None
    async with ScriptedStation(site.ocpp_url, "CP1"):
        pass
    async with ScriptedStation(site.ocpp_url, "CP1", key=bytes.fromhex(key)):
        assert (await order(site, "show", "CP1"))[1]["security"]["rotating_since"] is None
    assert await refused(site, KEY.encode())
    assert await site.stop_bridge() == 0
    kept = [path for path in (site.bridge.log, *site.state_dir.rglob("*")) if path.is_file()]
    assert {"bridge.db", "wire"} <= {path.name if path.parent == site.state_dir else path.parent.name for path in kept}
    assert not [path.name for path in kept if key.encode() in path.read_bytes()]


@pytest.mark.row("T83")
@pytest.mark.kill
@pytest.mark.parametrize("applied", [False, True], ids=["old-key-kept", "new-key-taken"])
async def test_kill_9_while_a_key_is_on_its_way_locks_no_station_out(make_site: MakeSite, applied: bool) -> None:
    site = await start(make_site)
    async with ScriptedStation(site.ocpp_url, "CP1", answers={"ChangeConfiguration": None}) as station:
        await station.boot()
        ordering = asyncio.create_task(site.run("station", "rotate-key", "CP1"))
        _, payload = await received(station)
        site.kill_bridge()
        assert (await ordering)[0] == 6
    await site.start_bridge()
    held = bytes.fromhex(payload["value"]) if applied else KEY.encode()
    async with ScriptedStation(site.ocpp_url, "CP1", key=held):
        rotating = (await order(site, "show", "CP1"))[1]["security"]["rotating_since"]
        assert (rotating is None) is applied
    assert await refused(site, KEY.encode()) is applied
