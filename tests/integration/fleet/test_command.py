import asyncio
import json
import sys

import pytest

from simulators.fleet.journal import read_journal


async def fleet(*arguments):
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.cli", "fleet", "--stations", "3", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process):
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    return process.returncode, " ".join(errors.decode().split())


async def test_a_fleet_ends_by_itself_with_a_summary_and_leaves_its_journal(central, tmp_path):
    path = tmp_path / "journal.jsonl"
    code, errors = await ended(
        await fleet("--url", central.url, "--duration", "1", "--speed", "20", "--journal", str(path))
    )
    assert code == 0
    assert "3 of 3 connected" in errors
    assert len(read_journal(path)) >= 3


async def test_an_address_that_never_answers_is_one_clear_line_and_exit_code_2(central):
    await central.close()
    code, errors = await ended(await fleet("--url", central.url, "--duration", "1"))
    assert code == 2
    assert f"ocpp-sim fleet: could not reach {central.url}:" in errors


async def test_refused_credentials_end_the_run_at_once_with_exit_code_3(central):
    central.refuse_with = 401
    code, errors = await ended(await fleet("--url", central.url))
    assert code == 3
    assert f"{central.url} refused 3 of 3 stations, for example SIM-00001: HTTP 401" in errors


@pytest.mark.parametrize("how", ["terminate", "signal"])
async def test_a_signal_ends_the_fleet_cleanly_and_its_connections_with_1001(central, tmp_path, how):
    ready = tmp_path / "ready.json"
    process = await fleet("--url", central.url, "--control-port", "0", "--ready-file", str(ready))
    await central.received(3, "BootNotification")
    assert json.loads(ready.read_text())["pid"] == process.pid
    process.terminate() if how == "terminate" else process.send_signal(2)
    code, _ = await ended(process)
    assert code == 0
    assert {connection.close_code for connection in central.connections.values()} == {1001}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--url", "http://127.0.0.1:1"], "is not a WebSocket address"),
        (["--url", "ws://127.0.0.1:1", "--scenario", "festive"], "is none of calm, busy"),
    ],
)
async def test_bad_arguments_say_what_would_be_right(arguments, complaint):
    code, errors = await ended(await fleet(*arguments))
    assert code == 2
    assert complaint in errors.replace("│ ", "").replace(" │", "")
