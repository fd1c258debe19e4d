"""`ocpp-bridge quarantine` and `station attempts`, against a running bridge over REST and against a stopped one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from bridge.web.quarantine_shapes import MapWish
from bridge.web.services import RowsRefused, ServiceError, Unavailable
from bridge.web.shapes import RowError
from tests.integration.web.test_cli_services import Desk, desk, halted, running, state

__all__ = ["desk", "halted", "running", "state"]

KEY = "00112233445566778899aabbccddeeff00112233"
MAP = ("quarantine", "map", "A|B*1", "--evse", "DE*ABC*E1", "--operator", "acme")


def wish_of(desk: Desk) -> MapWish:
    [(what, station, wish)] = desk.services.quarantine.orders
    assert (what, station) == ("map", "A|B*1")
    assert isinstance(wish, MapWish)
    return wish


def test_list_shows_what_is_known_of_each_station(desk: Desk) -> None:
    result = desk.run("quarantine", "list")
    assert result.exit_code == 0, result.stderr
    header, row = result.stdout.splitlines()
    assert header.split()[:4] == ["station", "connected", "version", "vendor"]
    assert row.split()[:7] == ["A|B*1", "yes", "ocpp1.6", "ABB", "Terra", "T-1", "1.8.32"]
    assert "192.0.2.1" in row


def test_an_empty_quarantine_is_said(desk: Desk) -> None:
    desk.services.quarantine.items = ()
    assert desk.run("quarantine", "list").stdout == "no stations in quarantine\n"


def test_a_generated_key_is_printed_once(desk: Desk) -> None:
    result = desk.run(*MAP, "--generate-key")
    assert result.exit_code == 0, result.stderr
    assert wish_of(desk) == MapWish(evses=("DE*ABC*E1",), operator="acme", generate_key=True)
    assert result.stdout.splitlines() == [
        "warning: mind the gap",
        "A|B*1 is mapped to DE*ABC*E1",
        f"its key, which is shown only now: {KEY}",
    ]


def test_a_key_of_a_file_is_sent_and_not_shown(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "cp.key").write_text("0123456789abcdef\n")
    result = desk.run(*MAP, "--key-file", str(tmp_path / "cp.key"))
    assert result.exit_code == 0, result.stderr
    assert wish_of(desk).key == "0123456789abcdef"
    assert "0123456789abcdef" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("options", "member"),
    [
        pytest.param(("--insecure",), {"insecure": True}, id="insecure"),
        pytest.param(("--certificate-name", "cp1.acme"), {"certificate_name": "cp1.acme"}, id="certificate"),
    ],
)
def test_other_proofs(desk: Desk, options: tuple[str, ...], member: dict[str, Any]) -> None:
    assert desk.run(*MAP, *options, "--evse", "2=DE*ABC*E2").exit_code == 0
    assert wish_of(desk) == MapWish(evses=("DE*ABC*E1", "2=DE*ABC*E2"), operator="acme", **member)


def test_a_dry_run_says_so_and_makes_no_key(desk: Desk) -> None:
    result = desk.run(*MAP, "--generate-key", "--dry-run")
    assert result.exit_code == 0
    assert "nothing was changed; A|B*1 would be mapped to DE*ABC*E1" in result.stdout
    assert "key" not in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param((), "how does it prove itself? Give one of --key-file", id="no proof"),
        pytest.param(("--insecure", "--generate-key"), "how does it prove itself?", id="two"),
        pytest.param(("--certificate-name", "a\nb"), "should be printable", id="no name"),
    ],
)
def test_wrong_usage_asks_nothing(desk: Desk, options: tuple[str, ...], said: str) -> None:
    result = desk.run(*MAP, *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert desk.services.quarantine.orders == []


MISTAKE = RowError(line=1, column="evse_id", value="DE*ABC*E1", problem="belongs to station 'CP1'")


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        pytest.param(RowsRefused([MISTAKE]), 5, "--evse:1: evse_id \"DE*ABC*E1\": belongs to station 'CP1'", id="rows"),
        pytest.param(Unavailable("the disk is full"), 1, "the disk is full", id="storage"),
    ],
)
def test_failures_have_the_exit_codes_of_the_other_commands(
    desk: Desk, failure: ServiceError, code: int, said: str
) -> None:
    desk.services.quarantine.failure = failure
    result = desk.run(*MAP, "--insecure")
    assert result.exit_code == code
    assert said in result.stderr


def test_forget_and_an_unknown_one(desk: Desk) -> None:
    assert desk.run("quarantine", "forget", "A|B*1").stdout == "A|B*1 is forgotten\n"
    result = desk.run("quarantine", "forget", "nobody")
    assert (result.exit_code, result.stderr) == (3, "there is no station in quarantine 'nobody'\n")


def test_attempts_say_who_why_and_what_to_do(desk: Desk) -> None:
    result = desk.run("station", "attempts", "cp42")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        "CP42 from 192.0.2.7, Firmware/1.2: HTTP 404 unknown charging station",
        "  12 attempts, first 2026-11-20 12:00:00 UTC, last 2026-11-20 12:00:00 UTC",
        "  is it CP-42? The inventory has that one",
        "  the inventory has no station of this id",
    ]
    assert desk.services.quarantine.orders == [("attempts", "cp42")]


def test_no_attempts_is_said(desk: Desk) -> None:
    desk.services.quarantine.refused = ()
    assert desk.run("station", "attempts").stdout == "no connection was refused since the bridge's start\n"
    assert desk.services.quarantine.orders == [("attempts", None)]


@pytest.mark.parametrize(
    "command",
    [("quarantine", "list"), (*MAP, "--insecure"), ("quarantine", "forget", "A|B*1"), ("station", "attempts")],
)
def test_json_is_one_document(desk: Desk, command: tuple[str, ...]) -> None:
    result = desk.run(*command, "--json")
    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), dict)


async def test_ids_are_percent_encoded_in_paths(client: TestClient, services: Any, admin: dict[str, str]) -> None:
    body = {"evses": ["DE*ABC*E1"], "operator": "acme", "insecure": True}
    async with client.post("/api/v1/quarantine/A%7CB%2A1/map", json=body, headers=admin) as response:
        assert response.status == 200
        assert (await response.json())["key"] is None
    async with client.delete("/api/v1/quarantine/A%7CB%2A1", headers=admin) as response:
        assert response.status == 200
    assert [order[:2] for order in services.quarantine.orders] == [("map", "A|B*1"), ("forget", "A|B*1")]


async def test_a_wish_without_a_proof_is_a_bad_request(client: TestClient, admin: dict[str, str]) -> None:
    body = {"evses": ["DE*ABC*E1"], "operator": "acme"}
    async with client.post("/api/v1/quarantine/A%7CB%2A1/map", json=body, headers=admin) as response:
        assert response.status == 400
        assert "give one of key, generate_key" in (await response.json())["detail"]


async def test_nothing_is_shown_without_the_token(client: TestClient) -> None:
    for path in ("/api/v1/quarantine", "/api/v1/attempts"):
        async with client.get(path) as response:
            assert response.status == 401
