"""`ocpp-sim hubs` as a process."""

import asyncio
import json
import signal
import socket
import ssl
import sys
import time

import aiohttp
import pytest

COMMAND = (sys.executable, "-c", "import typer; from simulators.hubs.command import hubs; typer.run(hubs)")
BOUND_S = 20


async def run(*arguments):
    return await asyncio.create_subprocess_exec(*COMMAND, *arguments, stderr=asyncio.subprocess.PIPE)


async def wait_ready(path):
    until = time.monotonic() + BOUND_S
    while not path.exists():
        assert time.monotonic() < until, "never became ready"
        await asyncio.sleep(0.02)
    return json.loads(path.read_text())


def trusting(folder, client=None):
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if client is not None:
        context.load_cert_chain(folder / client)
    return context


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_hubs_run_until_a_signal_and_leave_with_0(tmp_path, number):
    process = await run(
        "--ready-file", str(tmp_path / "ready.json"), "--operator-id", "DE*XYZ", "--api-key", "k1", "--api-key", "k2"
    )
    try:
        ready = await wait_ready(tmp_path / "ready.json")
        assert [path.name for path in tmp_path.iterdir()] == ["ready.json"]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{ready['control_url']}/hubject/options") as response:
                assert (await response.json())["operator_ids"] == ["DE*XYZ"]
            async with session.get(f"{ready['control_url']}/chargeprice/options") as response:
                assert (await response.json())["api_keys"] == ["k1", "k2"]
        process.send_signal(number)
        _, errors = await asyncio.wait_for(process.communicate(), BOUND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert errors.decode() == (
        f"mock hubs ready: hubject http://127.0.0.1:{ready['hubject_port']}/api/oicp "
        f"chargeprice http://127.0.0.1:{ready['chargeprice_port']} "
        f"spirii http://127.0.0.1:{ready['spirii_port']} "
        f"control http://127.0.0.1:{ready['control_port']}/control\n"
    )


async def test_taken_port_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await run("--hubject-port", str(taken.getsockname()[1]))
        _, errors = await asyncio.wait_for(process.communicate(), BOUND_S)
    assert process.returncode == 1
    assert errors.decode().startswith("ocpp-sim hubs: cannot listen")
    assert errors.decode().count("\n") == 1


async def test_tls_is_spoken_with_the_files_that_the_ready_file_names(tmp_path):
    folder = tmp_path / "tls"
    process = await run("--ready-file", str(tmp_path / "ready.json"), "--tls-dir", str(folder), "--needs-data")
    try:
        ready = await wait_ready(tmp_path / "ready.json")
        assert ready["hubject_url"] == f"https://localhost:{ready['hubject_port']}/api/oicp"
        assert ready["tls_dir"] == str(folder)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{ready['control_url']}/hubject/options") as response:
                assert (await response.json())["needs_data"] is True
            async with session.post(ready["hubject_url"], ssl=trusting(folder)) as response:
                assert response.status == 400
                assert "SSL Certificate Error" in await response.text()
            async with session.post(ready["hubject_url"], ssl=trusting(folder, "client-DEABC.pem")) as response:
                assert response.status == 404
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), BOUND_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    assert errors.decode().count("\n") == 1


async def test_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    process = await run("--tls-dir", str(tmp_path / "file"))
    _, errors = await asyncio.wait_for(process.communicate(), BOUND_S)
    assert process.returncode == 1
    assert errors.decode().startswith("ocpp-sim hubs: cannot listen, or write")
    assert errors.decode().count("\n") == 1
