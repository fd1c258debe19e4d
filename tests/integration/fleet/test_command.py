import asyncio
import csv
import io
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


async def run(*arguments):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


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
        (["--url", "ws://127.0.0.1:1", "--versions", "1.6,1.5"], "'1.5' is none of 1.6, 2.0.1, 2.1"),
        (["--url", "ws://127.0.0.1:1", "--security", "4"], "'4' is none of 0, 1, 2, 3"),
        (["--url", "ws://127.0.0.1:1", "--quirk", "no-bot"], "there is no quirk 'no-bot'; did you mean no-boot"),
        (["--url", "ws://127.0.0.1:1", "--security", "2"], "security profile 2 needs a wss:// address"),
        (["--url", "wss://127.0.0.1:1", "--security", "3"], "there is no client certificate for security profile 3"),
        (["--url", "wss://127.0.0.1:1", "--ca", "/nowhere.pem"], "there is no /nowhere.pem"),
    ],
)
async def test_bad_arguments_say_what_would_be_right(arguments, complaint):
    code, errors = await ended(await fleet(*arguments))
    assert code == 2
    assert complaint in errors.replace("│ ", "").replace(" │", "")


async def test_quirks_are_listed_with_their_number_versions_and_what_they_do():
    code, output, _ = await run("quirks")
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert code == 0
    assert "no-pong 22 all never answers a ping" in lines
    assert 'invalid-meter-values 35 1.6 writes "transactionId":, in MeterValues' in lines
    assert "probe-then-real 7 2.0.1, 2.1 connects with ocpp1.6 for 3 s before each real connection" in lines


async def test_an_inventory_takes_the_fleets_options():
    options = ("--stations", "4", "--versions", "2.1", "--security", "0,3", "--quirk", "odd-id")
    code, output, _ = await run("inventory", *options)
    assert code == 0
    first = next(csv.DictReader(io.StringIO(output)))
    assert (first["station"], first["version"], first["key"]) == ("SIM-00001 |*#2.1", "2.1", "")
    assert {row["security"] for row in csv.DictReader(io.StringIO(output))} == {"insecure", "3"}


async def test_certificates_are_written_for_the_fleets_stations(tmp_path):
    code, _, errors = await run(
        "certificates", "--data", str(tmp_path / "lab"), "--stations", "2", "--versions", "1.6,2.1", "--security", "0,3"
    )
    assert (code, errors.split(": ", 1)[1]) == (
        0,
        "ca.pem, server.pem, server.key and the certificates of 2 stations\n",
    )
    assert (tmp_path / "lab" / "station-SIM-00002.pem").is_file()


async def test_certificates_that_cannot_be_written_are_one_clear_line(tmp_path):
    (tmp_path / "lab").write_text("a file")
    code, _, errors = await run("certificates", "--data", str(tmp_path / "lab"), "--stations", "1")
    assert (code, errors) == (1, f"ocpp-sim certificates: cannot write to {tmp_path / 'lab'}: File exists\n")
