"""The command line asks a bridge on another machine, by its address and an API key, with nothing of the bridge here."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import Result

from bridge.cli.address import Address
from bridge.cli.elsewhere import can_be_overheard
from bridge.cli.run import Parts
from bridge.cli.session import Stopped
from bridge.core.api_keys import digest_of
from bridge.core.roles import Role
from bridge.web.access import AccessOptions
from bridge.web.routes import create_app
from tests.documents.commands import every_command
from tests.integration.web.fake_keys import FakeRing, known
from tests.integration.web.test_cli_services import Desk

VIEWER, OPERATOR = "ocppb_" + "v" * 43, "ocppb_" + "o" * 43
STAYS_HERE = {
    "ocpp-bridge check-config",
    "ocpp-bridge completion",
    "ocpp-bridge config show",
    "ocpp-bridge db backup",
    "ocpp-bridge db check",
    "ocpp-bridge db restore",
    "ocpp-bridge db upgrade",
    "ocpp-bridge init",
    "ocpp-bridge serve",
    "ocpp-bridge version",
}
"""Commands that ask no bridge."""


def _never() -> Stopped:
    raise AssertionError("nothing of a bridge is here")


def _say_nothing(logger: Any, name: str, event: Any) -> Any:
    raise structlog.DropEvent


@dataclass
class Laptop:
    """Runs commands in a folder that holds keys and nothing of the bridge."""

    url: str
    folder: Path
    services: Any

    async def run(self, *arguments: str) -> Result:
        desk = Desk(self.services, Parts(stopped=_never))
        return await asyncio.to_thread(desk.run, *arguments)

    async def ask(self, *arguments: str, key: str = "viewer.key", url: str | None = None) -> Result:
        return await self.run(*arguments, "--url", url or self.url, "--api-key-file", str(self.folder / key))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("BRIDGE_CONFIG", "OCPP_BRIDGE_URL", "OCPP_BRIDGE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, key in {"viewer": VIEWER, "operator": OPERATOR, "wrong": "ocppb_" + "w" * 43}.items():
        (tmp_path / f"{name}.key").write_text(f"{key}\n", encoding="ascii")
    return tmp_path


@pytest.fixture
async def laptop(services: Any, token: str, folder: Path) -> AsyncIterator[Laptop]:
    structlog.configure(processors=[_say_nothing])  # it would log into what the command prints
    try:
        async with TestServer(_app(services, token), host="127.0.0.1") as server:
            yield Laptop(str(server.make_url("")).rstrip("/"), folder, services)
    finally:
        structlog.reset_defaults()


@pytest.fixture
async def stranger() -> AsyncIterator[str]:
    """A web server that is no bridge."""

    async def page(request: web.Request) -> web.Response:
        if request.path.startswith("/moved"):
            return web.Response(status=301, headers={"Location": "https://bridge.example/"})
        return web.Response(text="<html>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", page)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/")


def _app(services: Any, token: str) -> web.Application:
    ring = FakeRing(known(3, digest_of(VIEWER), Role.VIEWER), known(4, digest_of(OPERATOR), Role.OPERATOR))
    return create_app(services, token, access=AccessOptions(ring=ring))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("status",), id="status"),
        pytest.param(("evse", "list"), id="EVSEs"),
        pytest.param(("delivery", "list"), id="deliveries"),
        pytest.param(("temporary", "list"), id="temporary statuses"),
        pytest.param(("inventory", "list"), id="inventory"),
        pytest.param(("quirks", "--station", "CP 1|2"), id="quirks"),
    ],
)
async def test_a_bridge_at_an_address_is_asked_with_a_key_and_nothing_of_it_is_here(
    laptop: Laptop, command: tuple[str, ...]
) -> None:
    result = await laptop.ask(*command, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert isinstance(json.loads(result.stdout), dict)
    assert sorted(path.name for path in laptop.folder.iterdir()) == ["operator.key", "viewer.key", "wrong.key"]


async def test_the_environment_names_the_bridge_and_options_count_before_it(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCPP_BRIDGE_URL", laptop.url)
    monkeypatch.setenv("OCPP_BRIDGE_API_KEY_FILE", str(laptop.folder / "wrong.key"))
    assert (await laptop.run("status")).exit_code == 1
    assert (await laptop.run("status", "--api-key-file", str(laptop.folder / "viewer.key"))).exit_code == 0
    monkeypatch.setenv("OCPP_BRIDGE_URL", "http://127.0.0.1:1")
    assert (await laptop.ask("status")).exit_code == 0


async def test_a_configuration_that_is_named_counts_before_the_environment(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCPP_BRIDGE_URL", laptop.url)
    monkeypatch.setenv("OCPP_BRIDGE_API_KEY_FILE", str(laptop.folder / "viewer.key"))
    (laptop.folder / "my.toml").write_text("wrong = true\n", encoding="utf-8")
    assert (await laptop.run("status", "--config", "my.toml")).exit_code == 5


async def test_orders_are_made_by_the_key_and_refused_where_its_role_is_too_low(laptop: Laptop) -> None:
    order = ("temporary", "create", "DE*ABC*E1", "--status", "BLOCKED")
    refused = await laptop.ask(*order)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == (
        "the bridge does not let this key do that: "
        "the role operator is needed for this, and the key 'key-3' has viewer\n"
    )
    assert (await laptop.ask(*order, key="operator.key")).exit_code == 0
    assert [order[0] for order in laptop.services.temporaries.orders] == ["create"]


@pytest.mark.parametrize("command", [("status",), ("events",), ("station", "log", "CS-1")], ids=lambda words: words[0])
async def test_a_wrong_key_is_named_by_its_file_and_never_shown(laptop: Laptop, command: tuple[str, ...]) -> None:
    result = await laptop.ask(*command, key="wrong.key")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"the bridge at {laptop.url} refuses the key in {laptop.folder / 'wrong.key'}: "
        "is it of this bridge, and neither revoked nor over?\n"
    )
    assert "wwww" not in result.output


@pytest.mark.parametrize("command", [("status",), ("events",), ("health",)], ids=lambda words: words[0])
async def test_what_is_no_bridge_is_exit_code_6_and_says_what_answered(
    laptop: Laptop, stranger: str, command: tuple[str, ...]
) -> None:
    result = await laptop.ask(*command, url=stranger)
    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr == (
        f"there is no bridge at {stranger}: it answers 200 with text/html; "
        "is the address right, and does the bridge run there?\n"
    )


async def test_nobody_is_followed_elsewhere_with_a_key(laptop: Laptop, stranger: str) -> None:
    result = await laptop.ask("status", url=f"{stranger}/moved")
    assert result.exit_code == 6
    assert "which leads to https://bridge.example/" in result.stderr


def test_what_a_stranger_says_is_shown_so_that_a_terminal_obeys_none_of_it() -> None:
    said = Address("http://x", "key").stranger(301, "text/html", "a\x1b[2J" + "b" * 1000)
    assert said is not None
    assert "a␛[2Jbbb" in said
    assert len(said) < 500


async def test_an_address_where_nobody_answers_is_exit_code_6(laptop: Laptop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = await laptop.ask("status", url=f"http://127.0.0.1:{port}")
    assert result.exit_code == 6
    assert result.stderr.startswith(f"the bridge at http://127.0.0.1:{port} does not answer: ")


async def test_health_needs_no_key(laptop: Laptop) -> None:
    assert (await laptop.run("health", "--url", laptop.url)).stdout == "ready\n"


USAGE = [
    pytest.param(("--url", "http://127.0.0.1:1"), "with which key? Give --api-key-file FILE", id="no key"),
    pytest.param(("--api-key-file", "viewer.key"), "an API key is for a bridge at an address", id="no address"),
    pytest.param(("--url", "bridge", "--api-key-file", "viewer.key"), "such as https://bridge.example", id="no URL"),
    pytest.param(("--url", "ftp://x", "--api-key-file", "viewer.key"), "such as https://bridge.example", id="not HTTP"),
    pytest.param(("--url", "http://x:y", "--api-key-file", "viewer.key"), "such as https://bridge.", id="no port"),
    pytest.param(("--url", "https://a:secret@x", "--api-key-file", "viewer.key"), "no password", id="password"),
    pytest.param(("--url", "https://x", "--config", "my.toml"), "give one of them", id="two bridges"),
    pytest.param(("--url", "https://x", "--api-key-file", "empty"), "empty: should hold one API key", id="empty file"),
    pytest.param(("--url", "https://x", "--api-key-file", "two"), "two: should hold one API key", id="two keys"),
]


@pytest.mark.parametrize(("options", "said"), USAGE)
async def test_a_bridge_that_is_not_named_well_is_exit_code_2(
    laptop: Laptop, options: tuple[str, ...], said: str
) -> None:
    (laptop.folder / "empty").write_text("\n", encoding="ascii")
    (laptop.folder / "two").write_text("secret-one\nsecret-two\n", encoding="ascii")
    result = await laptop.run("status", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "secret" not in result.stderr


async def test_a_key_file_that_is_not_there_is_exit_code_3(laptop: Laptop) -> None:
    result = await laptop.run("status", "--url", laptop.url, "--api-key-file", "none.key", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"] == "none.key: no such file; it should hold an API key"


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        pytest.param("http://192.0.2.1:1", True, id="another machine"),
        pytest.param("http://bridge.invalid", True, id="a name"),
        pytest.param("http://127.0.0.1:1", False, id="this machine"),
        pytest.param("http://[::1]:1", False, id="this machine, IPv6"),
        pytest.param("https://127.0.0.1:1", False, id="TLS"),
    ],
)
async def test_a_key_that_others_could_read_on_its_way_is_warned_of(url: str, warned: bool) -> None:
    assert can_be_overheard(Address(url, "key")) is warned


async def test_the_warning_is_one_line_beside_the_result(laptop: Laptop) -> None:
    """The address 0.0.0.0 reaches this machine, and is none of its loopback addresses."""
    result = await laptop.ask("status", "--json", url=laptop.url.replace("127.0.0.1", "0.0.0.0"))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["version"] == "0.1.0"
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.endswith("is not https: everybody on the way can read the key\n")


async def test_a_proxy_with_tls_is_trusted_by_its_authority_alone(services: Any, token: str, folder: Path) -> None:
    """As another process: Python reads SSL_CERT_FILE once."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    command = (sys.executable, "-m", "bridge.cli", "status", "--json", "--api-key-file", "viewer.key", "--url")
    server = TestServer(_app(services, token), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    outcomes = []
    for trusted in ({}, {"SSL_CERT_FILE": str(folder / "ca.pem")}):
        done = await asyncio.to_thread(
            subprocess.run,
            (*command, f"https://127.0.0.1:{server.port}"),
            capture_output=True,
            text=True,
            env={**os.environ, **trusted},
            timeout=30,
            check=False,
        )
        outcomes.append((done.returncode, "certificate verify failed" in done.stderr, done.stdout[:1]))
    await server.close()
    assert outcomes == [(6, True, "{"), (0, False, "{")]


def test_every_command_that_asks_a_bridge_can_ask_one_elsewhere() -> None:
    ours = [command for command in every_command() if command.words[0] == "ocpp-bridge"]
    asking = {command.name for command in ours if {"--url", "--api-key-file"} <= command.options}
    assert {command.name for command in ours} - asking == STAYS_HERE


@pytest.mark.parametrize(
    "command", [("db", "backup", "x"), ("check-config",), ("config", "show"), ("serve",)], ids=" ".join
)
async def test_a_command_that_works_on_files_of_the_bridge_says_so(laptop: Laptop, command: tuple[str, ...]) -> None:
    result = await laptop.run(*command, "--url", laptop.url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "this works on files of the bridge's own machine: run it there" in result.stderr
