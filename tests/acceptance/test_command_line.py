"""The command line as operators and scripts use it: exit codes, one document on stdout, no colour in pipes."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeSite
from tests.acceptance.harness import BIN, FleetPlan

PROGRAM = str(BIN / "ocpp-bridge")
ESCAPE = b"\x1b"
QUESTIONS = (
    ("status",),
    ("health",),
    ("config", "show"),
    ("inventory", "list"),
    ("db", "check"),
    ("check-config",),
)
"""One of each way to an answer: over REST, in pages, a probe, the configuration, the database's file."""


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    stdout: bytes
    stderr: bytes


async def command(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> Done:
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, *arguments),
        env=dict(environ),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    stdout, stderr = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode is not None
    return Done(process.returncode, stdout, stderr)


async def on_a_terminal(arguments: Sequence[str], environ: Mapping[str, str], folder: Path) -> bytes:
    """Return what a command writes where stdout is a terminal."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, *arguments), env=dict(environ), cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=theirs
    )
    os.close(theirs)
    said = b""
    loop = asyncio.get_running_loop()
    with suppress(OSError):  # EIO: the other end is closed
        while chunk := await loop.run_in_executor(None, os.read, ours, 65536):
            said += chunk
    os.close(ours)
    assert await asyncio.wait_for(process.wait(), 40) == 0
    return said


@pytest.mark.timeout(240)  # a process for each
async def test_questions_to_a_running_bridge_have_one_document_on_stdout_and_no_colour(make_site: MakeSite) -> None:
    site = make_site()
    await site.start_bridge()
    await site.import_inventory(FleetPlan(stations=4).inventory)
    environ = site.environ()
    for question in QUESTIONS:
        done = await command((*question, "--json"), environ, site.folder)
        assert (done.code, type(json.loads(done.stdout))) == (0, dict), question
        assert ESCAPE not in done.stdout + done.stderr, question
    plain = await command(("station", "list"), environ, site.folder)
    assert (plain.code, ESCAPE in plain.stdout + plain.stderr) == (0, False)
    bold = await on_a_terminal(("station", "list"), environ | {"COLUMNS": "40", "TERM": "xterm"}, site.folder)
    plain_terminal = environ | {"COLUMNS": "40", "TERM": "xterm", "NO_COLOR": "1"}
    without = await on_a_terminal(("station", "list"), plain_terminal, site.folder)
    assert b"SIM-00001" in bold
    assert b"\x1b[3" not in without


@pytest.mark.timeout(240)  # a process for each
async def test_each_way_to_end_has_its_exit_code(make_site: MakeSite) -> None:
    """Beside: a failure is one document on stdout, too, and says the same on stderr."""
    site = make_site()
    await site.start_bridge()
    inventory = site.folder / "stations.csv"
    inventory.write_text(FleetPlan(stations=4).inventory, encoding="utf-8")
    environ, folder = site.environ(), site.folder

    async def code(*arguments: str, **variables: str) -> int:
        return (await command(arguments, environ | variables, folder)).code

    assert await code("inventory", "import", str(inventory)) == 0
    assert await code("serve") == 1  # another one has the database
    assert await code("upstream", "enable", "hubject") == 2  # nobody to ask
    unknown = await command(("station", "show", "NOBODY", "--json"), environ, folder)
    assert (unknown.code, json.loads(unknown.stdout)["error"]) == (3, unknown.stderr.decode().strip())
    inventory.write_text(FleetPlan(stations=1).inventory, encoding="utf-8")
    assert await code("inventory", "import", str(inventory), "--prune") == 4  # it needs a yes
    assert await code("status", BRIDGE_OCPP__PORT="70000") == 5
    assert await code("health") == 0
    site.bridge.signal(signal.SIGSTOP)
    assert await code("health") == 6
    site.bridge.signal(signal.SIGCONT)
    site.bridge.signal(signal.SIGTERM)
    assert await site.bridge.ended(20) == 0
    assert await code("health") == 6
    stopped = await command(("status", "--json"), environ, folder)
    assert (stopped.code, json.loads(stopped.stdout)["stations"]) == (0, 4)  # the database was opened for it


async def test_ctrl_c_ends_a_question_with_130(make_site: MakeSite) -> None:
    """A bridge that lives and never answers the question keeps the command waiting until it is interrupted."""
    site = make_site()
    site.state_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)
        ports = {"ocpp": 1, "web": listener.getsockname()[1], "web_host": "127.0.0.1", "pid": 1}
        (site.state_dir / "ports.json").write_text(json.dumps(ports), encoding="ascii")
        (site.state_dir / "admin-token").write_text("t" * 43, encoding="ascii")
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "status"), env=site.environ(), stderr=asyncio.subprocess.PIPE
        )
        with (await asyncio.to_thread(listener.accept))[0] as alive:
            assert (await asyncio.to_thread(alive.recv, 4096)).startswith(b"GET /livez ")
            alive.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        with (await asyncio.to_thread(listener.accept))[0] as asked:
            assert (await asyncio.to_thread(asked.recv, 4096)).startswith(b"GET /api/v1/status ")
            process.send_signal(signal.SIGINT)
            _, stderr = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, b"Traceback" in stderr) == (130, False)


async def test_a_shell_is_told_the_words_that_may_come_next(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    for shell in ("bash", "zsh", "fish"):
        script = await command(("completion", shell), environ, tmp_path)
        assert script.code == 0
        assert b"_OCPP_BRIDGE_COMPLETE" in script.stdout
    asked = {"_OCPP_BRIDGE_COMPLETE": "complete_bash", "COMP_WORDS": "ocpp-bridge upstream en", "COMP_CWORD": "2"}
    assert (await command((), environ | asked, tmp_path)).stdout.split() == [b"enable"]
