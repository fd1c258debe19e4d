"""A station that shares no code with the `ocpp` package: `ocpp-rpc` of npm, with strict validation on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.processes import until

HERE = Path(__file__).parent / "ocpp_rpc"
KEY = "ocpp-rpc-station-key"
EVSE_ID = "DE*ABC*ERPC"
POINT = "rpc-site,rpc-point"
COLUMNS = "station,version,key,evse,connector,evse_id,operator,chargeprice_station,chargeprice_point"
LIVES_WITHIN_S = 30.0
NODE, NPM = shutil.which("node"), shutil.which("npm")

pytestmark = pytest.mark.skipif(NODE is None or NPM is None, reason="node and npm are not on the PATH")


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install exactly what the lock file names into a folder outside of the tree, and return the script in there."""
    folder = tmp_path_factory.mktemp("ocpp_rpc")
    for name in ("package.json", "package-lock.json", ".npmrc", "station.js"):
        shutil.copy(HERE / name, folder)
    installing = subprocess.run(
        [str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert installing.returncode == 0, installing.stdout + installing.stderr
    return folder / "station.js"


@pytest.mark.parametrize(
    ("identity", "protocol", "row"),
    [
        pytest.param("EVSE 1", "ocpp1.6", f"EVSE 1,1.6,{KEY},,1,{EVSE_ID},demo,{POINT}", id="ocpp1.6"),
        pytest.param("EVSE 2", "ocpp2.0.1", f"EVSE 2,2.0.1,{KEY},1,1,{EVSE_ID},demo,{POINT}", id="ocpp2.0.1"),
    ],
)
async def test_an_independent_client_lives_its_life_and_its_status_reaches_the_hubs(
    make_site: MakeSite, script: Path, identity: str, protocol: str, row: str
) -> None:
    site = make_site(OCPP__SETTLE_AFTER_BOOT="0.3 s")
    await site.start_hubs()
    await site.start_bridge()
    await site.import_inventory(f"{COLUMNS}\n{row}\n")
    arguments = [str(NODE), str(script), site.ocpp_url, identity, KEY, protocol]
    code = await site.processes.run("station", arguments, os.environ, LIVES_WITHIN_S)
    said = (site.folder / "station.log").read_text(encoding="utf-8")
    assert code == 0, said

    answers, asked = read(said)
    assert answers[0][1]["status"] == "Accepted"
    assert answers[0][1]["interval"] == 300
    assert all("currentTime" in answer for action, answer in answers if action in ("BootNotification", "Heartbeat"))
    assert all(answer == {} for action, answer in answers if action in ("StatusNotification", "MeterValues"))
    match protocol:
        case "ocpp1.6":
            assert asked == [{"requestedMessage": "StatusNotification", "connectorId": 1}]
            assert one(answers, "Authorize") == {"idTagInfo": {"status": "Accepted"}}
            started = one(answers, "StartTransaction")
            assert started["idTagInfo"] == {"status": "Accepted"}
            assert started["transactionId"] > 0
        case "ocpp2.0.1":
            assert asked == [{"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}]
            assert one(answers, "Authorize") == {"idTokenInfo": {"status": "Accepted"}}
            events = [answer for action, answer in answers if action == "TransactionEvent"]
            assert events == [{"idTokenInfo": {"status": "Accepted"}}, {}, {}]

    async def told() -> bool:
        held = [await hub.state() for hub in site.hubs.values()]
        return held == [{EVSE_ID: "OutOfService"}, {POINT.replace(",", "/"): "maintainance"}]

    await until(told, 10, "Faulted at both hubs")
    await site.assert_rules_kept()


def read(said: str) -> tuple[list[tuple[str, Any]], list[Any]]:
    """Return the (action, answer) of each call in its order, and what the server asked."""
    lines = [json.loads(line) for line in said.splitlines()]
    answers = [(line["call"], line["answer"]) for line in lines if "call" in line]
    return answers, [line["payload"] for line in lines if "asked" in line]


def one(answers: list[tuple[str, Any]], action: str) -> Any:
    """Return the answer of the only call of an action."""
    (answer,) = (answer for name, answer in answers if name == action)
    return answer
